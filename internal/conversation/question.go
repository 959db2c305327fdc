package conversation

import (
	"context"
	"strings"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// pointing are words that stand for something said before, by language: "die"
// does in Dutch, and is an article in German.
var pointing = sets(map[string]string{
	"en": "it its they them their theirs he him his she her hers this that these those there then same former latter such both one ones",
	"de": "er ihn ihm sein seine seinen seiner sie ihnen ihr ihre ihren ihrer es dies diese dieser dieses diesem diesen jene jener jenes dessen deren davon dazu damit dabei dafür dagegen daran darauf darin darüber dort beide solche derselbe dieselbe",
	"es": "él ella ellos ellas este esta esto estos estas ese esa eso esos esas su sus allí entonces",
	"fr": "il elle ils elles ce cela celui celle ceux celles cette ces son sa ses leur leurs",
	"it": "esso essa essi esse questo questa questi queste suo sua loro lì allora",
	"nl": "hij zij hun haar dit deze die daar dan",
	"pt": "ele ela eles elas isso isto esse essa",
})

// joining are words that continue what was said before, by language.
var joining = sets(map[string]string{
	"en": "and but or so also then why", "de": "und aber oder also dann warum wieso", "es": "y o pero", "fr": "et ou mais",
	"it": "e o ma", "nl": "en of maar", "pt": "e ou mas",
})

// sets splits lists of words.
func sets(lists map[string]string) map[string]map[string]bool {
	out := map[string]map[string]bool{}
	for language, list := range lists {
		out[language] = map[string]bool{}
		for _, word := range strings.Fields(list) {
			out[language][word] = true
		}
	}
	return out
}

// dependent reports whether a question in a language cannot be understood without
// what was said before it: it points back, goes on, or names nothing itself.
func dependent(question, language string) bool {
	text := words(question)
	if len(text) == 0 || joining[language][text[0]] || len(subject(question)) < 2 {
		return true
	}
	for i, word := range text {
		if pointing[language][word] && (i == 0 || !empty[text[i-1]+" "+word]) {
			return true
		}
	}
	return false
}

// empty are pairs of words whose second only looks as if it pointed.
var empty = map[string]bool{
	"is there": true, "are there": true, "was there": true, "were there": true, "gibt es": true, "gab es": true, "handelt es": true,
}

// understand finds the question to search for: the user's, or where that
// depends on what was said before, one that does not.
func (r *run) understand(ctx context.Context) error {
	r.question = strings.TrimSpace(r.turn.Question)
	if len(r.history) == 0 || !dependent(r.question, r.answer.Metadata.Language) {
		return nil
	}
	last := r.history[len(r.history)-1].Question
	rewritten := strings.TrimSpace(last + " " + r.question)
	if r.answer.Metadata.Judge == domain.JudgeLLM {
		var err error
		if rewritten, err = r.rewrite(ctx); err != nil {
			return err
		}
	}
	r.question, r.answer.Metadata.Rewritten = rewritten, rewritten
	return nil
}

// The bounds of a rewritten question: tokens asked for, characters taken.
const (
	rewriteTokens = 200
	longestQuery  = 600
)

// rewrite asks the model. An answer that is no question leaves the words of the
// question before to help.
func (r *run) rewrite(ctx context.Context) (string, error) {
	last := r.history[len(r.history)-1]
	plainly := strings.TrimSpace(last.Question + " " + r.question)
	messages, _ := r.historyMessages(rewriteHistory)
	messages = append([]llm.Message{{Role: llm.RoleSystem, Content: systemRewrite}}, messages...)
	resp, err := r.provider.Complete(ctx, llm.CompleteRequest{
		Model: r.asked, MaxTokens: rewriteTokens,
		Messages: append(messages, llm.Message{Role: llm.RoleUser, Content: askRewrite + fence("question", r.question)}),
	})
	switch domain.CodeOf(err) {
	case "":
	case domain.CodeModelMalformed, domain.CodeModelRefused, domain.CodeContextTooLong:
		return plainly, nil
	default:
		return "", err
	}
	r.count(resp.Usage)
	text := strings.Join(strings.Fields(strings.Trim(resp.Content, "\"'`“”„«» \n")), " ")
	if len(subject(text)) == 0 || len([]rune(text)) > longestQuery {
		return plainly, nil
	}
	return text, nil
}
