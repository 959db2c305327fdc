package conversation

import (
	"context"
	"strings"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// pointing are words that stand for something said before.
var pointing = func() map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(`
it its they them their theirs he him his she her hers this that these those there then same former latter such both ones
er ihn ihm sein seine seinen seiner sie ihnen ihr ihre ihren ihrer es dies diese dieser dieses diesem diesen jene jener jenes
dessen deren davon dazu damit dabei dafür dagegen daran darauf darin darüber dort dann beide solche derselbe dieselbe
él ella ellos ellas este esta esto estos estas ese esa eso esos esas su sus allí entonces
il elle ils elles ce cela celui celle ceux celles cette ces son sa ses leur leurs y en
esso essa essi esse questo questa questi queste suo sua loro lì allora
hij zij hun haar dit deze die daar dan
ele ela eles elas isso isto esse essa`) {
		set[word] = true
	}
	return set
}()

// joining are words that continue what was said before.
const joining = " and but or so also then why und aber oder also dann warum wieso y o pero et ou mais e ma en maar "

// dependent reports whether a question cannot be understood without what was
// said before it: it points back, goes on, or names nothing itself.
func dependent(question string) bool {
	text := words(question)
	if len(text) == 0 {
		return true
	}
	for _, word := range text {
		if pointing[word] {
			return true
		}
	}
	return strings.Contains(joining, " "+text[0]+" ") || len(subject(question)) < 2
}

// understand finds the question to search for: the user's, or where that
// depends on what was said before, one that does not.
func (r *run) understand(ctx context.Context) error {
	r.question = strings.TrimSpace(r.turn.Question)
	if len(r.history) == 0 || !dependent(r.question) {
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
