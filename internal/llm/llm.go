// Package llm is the seam between the product and language models: what a
// provider can be asked, what it answers and how it fails. Each provider lives
// in a folder of its own and passes llmtest.Conform.
package llm

import (
	"context"
	"encoding/json"

	"generalbackend/internal/domain"
)

// Provider is a source of completions and embeddings. Errors are
// *domain.Error with a model code (domain.CodeModel...), never a provider's raw
// text.
type Provider interface {
	// Name is the provider's name in requests and replies: "ollama", "offline".
	Name() string
	// Complete answers once; it succeeds only when the provider said it was done.
	Complete(ctx context.Context, req CompleteRequest) (CompleteResponse, error)
	// Stream is Complete without a schema, handing emit the answer piece by
	// piece as it comes. An error of emit ends the call and is returned. What was
	// emitted is an answer only when Stream succeeds.
	Stream(ctx context.Context, req CompleteRequest, emit func(piece string) error) (CompleteResponse, error)
	// Embed returns one unit vector per text, in order.
	Embed(ctx context.Context, req EmbedRequest) (EmbedResponse, error)
	// Models lists what can be asked for.
	Models(ctx context.Context) ([]Model, error)
}

// Role says who speaks in a message.
type Role string

// The roles.
const (
	RoleSystem    Role = "system"
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
)

// Message is one turn of a prompt.
type Message struct {
	Role    Role
	Content string
}

// CompleteRequest asks for one completion. With Schema set the answer is JSON
// valid against it. MaxTokens must be positive.
type CompleteRequest struct {
	Model       string
	Messages    []Message
	Schema      json.RawMessage
	MaxTokens   int
	Temperature float64
}

// CompleteResponse is a finished completion. Provider and Model are those that
// answered. Cost is known to the gateway alone.
type CompleteResponse struct {
	Content  string
	Provider string
	Model    string
	Usage    Usage
	Cost     domain.Cost
}

// CharsPerToken is what a token holds in European languages, roughly.
const CharsPerToken = 4

// Usage counts tokens as the provider does.
type Usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
}

// Input says what a text to embed is, for models that tell them apart.
type Input string

// The inputs.
const (
	InputPassage Input = "passage"
	InputQuery   Input = "query"
)

// EmbedRequest asks for vectors. Texts are sent as they are: normalising them
// is the caller's part (package embedding).
type EmbedRequest struct {
	Model string
	Texts []string
	Input Input
}

// EmbedResponse holds one vector per text. Neither count, dimension nor
// finiteness is guaranteed: package embedding checks them.
type EmbedResponse struct {
	Vectors  [][]float32
	Provider string
	Model    string
	Usage    Usage
	Cost     domain.Cost
}

// Model describes one model of a provider. Zero numbers are unknown.
type Model struct {
	Name          string `json:"name" example:"llama3.2:1b"`
	Provider      string `json:"provider" example:"ollama"`
	Description   string `json:"description" example:"llama 1.2B"`
	Embedding     bool   `json:"embedding" doc:"It turns text into vectors rather than answering"`
	Dims          int    `json:"dims,omitempty" doc:"Length of the vectors"`
	ContextTokens int    `json:"context_tokens,omitempty" doc:"How much it can read at once; absent where the provider does not tell" example:"8192"`
	Local         bool   `json:"local" doc:"What is asked of it stays on the deployment's own machines"`
}
