package ollama

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/wire"
)

type chatRequest struct {
	Model     string          `json:"model"`
	Messages  []chatMessage   `json:"messages"`
	Format    json.RawMessage `json:"format,omitempty"`
	Options   map[string]any  `json:"options"`
	KeepAlive string          `json:"keep_alive,omitempty"`
	Stream    bool            `json:"stream"`
	Truncate  bool            `json:"truncate"` // false: a prompt that does not fit is refused, not cut
	Shift     bool            `json:"shift"`    // false: an answer ends at the window
}

type chatMessage struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type chatLine struct {
	Message         chatMessage `json:"message"`
	Done            bool        `json:"done"`
	DoneReason      string      `json:"done_reason"`
	PromptEvalCount int         `json:"prompt_eval_count"`
	EvalCount       int         `json:"eval_count"`
	Error           string      `json:"error"`
}

// Complete implements llm.Provider. It streams, so that cancelling ctx stops
// the model, and succeeds only on a line with done and done_reason "stop".
func (p *Provider) Complete(ctx context.Context, req llm.CompleteRequest) (llm.CompleteResponse, error) {
	return p.Stream(ctx, req, func(string) error { return nil })
}

// Stream implements llm.Provider.
func (p *Provider) Stream(ctx context.Context, req llm.CompleteRequest, emit func(piece string) error) (llm.CompleteResponse, error) {
	in, err := p.chatRequest(req)
	if err != nil {
		return llm.CompleteResponse{}, err
	}
	body, err := p.send(ctx, "/api/chat", req.Model, in)
	if err != nil {
		return llm.CompleteResponse{}, err
	}
	defer body.Close()
	content, last, err := readChat(body, emit)
	if err != nil {
		if interrupted := llm.Interrupted(ctx); interrupted != nil {
			err = interrupted
		}
		return llm.CompleteResponse{}, err
	}
	return llm.CompleteResponse{
		Content:  content,
		Provider: Name,
		Model:    req.Model,
		Usage:    llm.Usage{PromptTokens: last.PromptEvalCount, CompletionTokens: last.EvalCount},
	}, finished(last, req.MaxTokens)
}

func (p *Provider) chatRequest(req llm.CompleteRequest) (chatRequest, error) {
	if req.MaxTokens <= 0 || len(req.Messages) == 0 {
		return chatRequest{}, domain.Errorf(domain.CodeInvalid, "A completion needs a message and a positive limit of tokens.")
	}
	format, err := format(req.Schema)
	if err != nil {
		return chatRequest{}, err
	}
	options := p.options()
	options["num_predict"] = req.MaxTokens
	options["temperature"] = req.Temperature
	in := chatRequest{Model: req.Model, Format: format, Options: options, KeepAlive: p.config.KeepAlive, Stream: true}
	for _, m := range req.Messages {
		in.Messages = append(in.Messages, chatMessage{Role: string(m.Role), Content: m.Content})
	}
	return in, nil
}

// maxLine bounds one line of the stream; a real one holds a few tokens.
const maxLine = 4 << 20

// readChat collects the stream up to its last line. A stream that ends without
// one was cut: by a crash, a shutdown or the server's guard against repetition.
func readChat(body io.Reader, emit func(piece string) error) (string, chatLine, error) {
	var content strings.Builder
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		if len(strings.TrimSpace(lines.Text())) == 0 {
			continue
		}
		var line chatLine
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return "", line, wire.BrokenOff(err)
		}
		if line.Error != "" {
			return "", line, nameText(http.StatusInternalServerError, strings.ToLower(line.Error), "").WithCause(errors.New(line.Error))
		}
		content.WriteString(line.Message.Content)
		if line.Message.Content != "" {
			if err := emit(line.Message.Content); err != nil {
				return "", line, err
			}
		}
		if line.Done {
			return content.String(), line, nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", chatLine{}, wire.BrokenOff(err)
	}
	return "", chatLine{}, wire.BrokenOff(io.ErrUnexpectedEOF)
}

func finished(last chatLine, limit int) error {
	switch {
	case last.DoneReason == "stop":
		return nil
	case last.DoneReason == "length" && last.EvalCount < limit:
		return domain.Errorf(domain.CodeContextTooLong, "The question and its answer are longer than the language model can hold at once.")
	case last.DoneReason == "length":
		return domain.Errorf(domain.CodeModelMalformed, "The language model's answer was longer than allowed.")
	default:
		return wire.BrokenOff(errors.New("done_reason " + last.DoneReason))
	}
}
