package conversation_test

import (
	"slices"
	"strings"
	"testing"

	"generalbackend/internal/conversation"
	"generalbackend/internal/domain"
	"generalbackend/internal/llm/llmtest"
)

func TestDependent(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		language, question string
		want               bool
	}{
		{"en", "When does the rental contract end?", false},
		{"en", "Who signed the rental contract?", false},
		{"en", "How many rooms are there in the flat?", false},
		{"en", "And when does it begin?", true},
		{"en", "Why?", true},
		{"en", "And in 2019?", true},
		{"en", "What did they decide?", true},
		{"de", "Wann endet der Mietvertrag in Hamburg?", false},
		{"de", "Wer gewann die Meisterschaft in Hamburg?", false},
		{"de", "Gibt es einen Aufzug im Haus?", false},
		{"de", "Und wie hoch ist sie?", true},
		{"de", "Wie lange dauert dieser Vertrag?", true},
		{"es", "¿Cuándo termina el contrato de alquiler?", false},
		{"es", "¿Quién vive en la casa de Hamburgo?", false},
		{"es", "¿Y cuándo termina el contrato de alquiler?", true},
		{"fr", "En quelle année finit le contrat de location ?", false},
		{"nl", "Wie heeft die brief ondertekend?", true},
		{"en", "…", true},
	} {
		if got := conversation.Dependent(tt.question, tt.language); got != tt.want {
			t.Errorf("%q depends on what was said before: %v, want %v", tt.question, got, tt.want)
		}
	}
}

func TestGuessLanguage(t *testing.T) {
	t.Parallel()
	for question, want := range map[string]string{
		"When does the contract end?":              "en",
		"Wann endet der Vertrag?":                  "de",
		"¿Cuándo termina el contrato?":             "es",
		"Quand est-ce que le contrat se termine ?": "fr",
		"Quando finisce il contratto?":             "it",
		"Wanneer eindigt het contract?":            "nl",
		"Когда заканчивается договор?":             "ru",
		"Πότε λήγει η σύμβαση;":                    "el",
		"契約はいつ終わりますか":                              "ja",
		"合同什么时候结束":                                 "zh",
		"계약은 언제 끝나나요":                              "ko",
		"XR-17?":                                   "",
	} {
		if got := conversation.GuessLanguage(question); got != want {
			t.Errorf("%q is taken for %q, want %q", question, got, want)
		}
	}
}

// TestRewriting: a question that needs what was said before is rewritten, by
// the model where there is one, and searched for in that form; others are not.
func TestRewriting(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.add("contract", "en", "The rental contract in Hamburg ends on 31 March 2026. Its deposit is 1,200 euros.")
	r.model.OnChat(func(in llmtest.ChatRequest) string {
		if strings.Contains(in.Messages[0].Content, "rewrite") {
			return `"How high is the deposit of the rental contract in Hamburg?"`
		}
		return "31 March 2026 [1]."
	})
	if m := r.ask("When does the rental contract end?"); m.Metadata.Rewritten != "" || len(r.model.Chats()) != 1 {
		t.Errorf("rewritten to %q with %d requests", m.Metadata.Rewritten, len(r.model.Chats()))
	}
	m := r.ask("And how high is its deposit?")
	if m.Metadata.Rewritten != "How high is the deposit of the rental contract in Hamburg?" {
		t.Errorf("rewritten to %q", m.Metadata.Rewritten)
	}
	chats := r.model.Chats()
	if len(chats) != 3 {
		t.Fatalf("%d requests", len(chats))
	}
	if m.Metadata.Usage.TotalTokens == 0 || m.Metadata.Usage.TotalTokens != m.Metadata.Usage.PromptTokens+m.Metadata.Usage.CompletionTokens {
		t.Errorf("usage %+v", m.Metadata.Usage)
	}
	last := chats[2].Messages
	if len(last) != 4 || last[1].Content != "When does the rental contract end?" || last[2].Content != "31 March 2026." {
		t.Errorf("the history reads %+v", last)
	}
	if m := r.ask("Who rents out the flat in Hamburg?"); m.Metadata.Rewritten != "" {
		t.Errorf("rewritten to %q", m.Metadata.Rewritten)
	}
	r.provider = "offline"
	if m := r.ask("And its deposit?"); m.Metadata.Rewritten != "Who rents out the flat in Hamburg? And its deposit?" {
		t.Errorf("offline rewritten to %q", m.Metadata.Rewritten)
	}
}

// TestUselessRewriting falls back on the words of the question before.
func TestUselessRewriting(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.add("contract", "en", "The rental contract in Hamburg ends on 31 March 2026.")
	for _, useless := range []string{"?", strings.Repeat("word ", 300)} {
		r.model.OnChat(func(in llmtest.ChatRequest) string {
			if strings.Contains(in.Messages[0].Content, "rewrite") {
				return useless
			}
			return "Yes [1]."
		})
		r.ask("When does the rental contract end?")
		if m := r.ask("Why then?"); m.Metadata.Rewritten != "When does the rental contract end? Why then?" {
			t.Errorf("rewritten to %q", m.Metadata.Rewritten)
		}
		r.forget()
	}
	long := strings.Repeat("contract ", 800)
	r.model.OnChat(func(llmtest.ChatRequest) string { return "Yes [1]." })
	for range 14 {
		r.ask(long)
	}
	m := r.ask("When does the rental contract end?")
	if !slices.Contains(m.Metadata.Flags, domain.FlagShortHistory) {
		t.Errorf("flags %v", m.Metadata.Flags)
	}
	prompt := 0
	chats := r.model.Chats()
	for _, message := range chats[len(chats)-1].Messages {
		prompt += len(message.Content)
	}
	if prompt > 3*8192 {
		t.Errorf("the prompt has %d characters", prompt)
	}
}
