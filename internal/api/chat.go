package api

import (
	"context"
	"encoding/binary"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// ChatStore keeps the chats of projects.
type ChatStore interface {
	CreateTurn(ctx context.Context, question, answer domain.ChatMessage, sub domain.Submission) (q, a domain.ChatMessage, job domain.Job, err error)
	Turn(ctx context.Context, userID, projectID, answerID uuid.UUID) (question, answer domain.ChatMessage, err error)
	ChatMessage(ctx context.Context, userID, projectID, id uuid.UUID) (domain.ChatMessage, error)
	ChatJob(ctx context.Context, userID, answerID uuid.UUID) (domain.Job, error)
	ChatsAfter(ctx context.Context, userID, projectID uuid.UUID, after int64, limit int) ([]domain.ChatMessage, error)
	ChatsBefore(ctx context.Context, userID, projectID uuid.UUID, before int64, limit int) ([]domain.ChatMessage, error)
	ClearChat(ctx context.Context, userID, projectID uuid.UUID) ([]domain.Job, error)
	DeleteTurn(ctx context.Context, userID, projectID, id uuid.UUID) ([]domain.Job, error)
}

// NewQuestion asks the documents of a project.
type NewQuestion struct {
	Message     string      `json:"message" minLength:"1" maxLength:"8000" doc:"The question; the answer is in its language" example:"When does the contract end?"`
	Provider    string      `json:"provider,omitempty" maxLength:"50" doc:"Of the language model; empty asks for the default. See /v1/llm/models" example:"offline"`
	Model       string      `json:"model,omitempty" maxLength:"200" doc:"Empty asks for the provider's default" example:"llama3.2"`
	Temperature float64     `json:"temperature,omitempty" minimum:"0" maximum:"2" doc:"0 for the likeliest words" example:"0"`
	Documents   []uuid.UUID `json:"document_ids,omitempty" maxItems:"1000" doc:"Only in these documents of the project"`
}

// ChatMessage is one side of a turn.
type ChatMessage struct {
	ID         uuid.UUID            `json:"id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000002"`
	UserID     uuid.UUID            `json:"user_id" format:"uuid" example:"0198c5b1-0000-7000-8000-00000000000a"`
	ProjectID  uuid.UUID            `json:"project_id" format:"uuid" example:"0198c5b1-0000-7000-8000-00000000000b"`
	QuestionID *uuid.UUID           `json:"question_id" format:"uuid" nullable:"true" doc:"What an answer answers; null on questions" example:"0198c5b1-0000-7000-8000-000000000001"`
	Role       string               `json:"role" enum:"user,assistant" example:"assistant"`
	Content    string               `json:"content" doc:"With [n] where passage n is cited; what there was until then, when it failed" example:"The contract ends on 31 March 2026 [1]."`
	State      string               `json:"state" enum:"pending,ready,failed" example:"ready"`
	Error      *JobError            `json:"error,omitempty" doc:"Code cancelled when it was stopped"`
	Metadata   *domain.ChatMetadata `json:"chat_metadata,omitempty" doc:"How an answer came about; absent on questions"`
	CreatedAt  time.Time            `json:"created_at" example:"2026-03-01T12:00:00Z"`
	FinishedAt *time.Time           `json:"finished_at" example:"2026-03-01T12:00:04Z"`
}

// AcceptedQuestion is a question that a job will answer.
type AcceptedQuestion struct {
	Job      Job         `json:"job"`
	Question ChatMessage `json:"question"`
	Message  ChatMessage `json:"message" doc:"The answer to come"`
}

func toChatMessage(m domain.ChatMessage) ChatMessage {
	shown := ChatMessage{
		ID: m.ID, UserID: m.UserID, ProjectID: m.ProjectID, QuestionID: m.QuestionID, Role: string(m.Role), Content: m.Content,
		State: string(m.State), Error: toJobError(m.Error), CreatedAt: m.CreatedAt, FinishedAt: m.FinishedAt,
	}
	if m.Role == domain.ChatAssistant {
		d := m.Metadata
		d.DocumentIDs, d.Citations, d.Sources, d.Flags = notNil(d.DocumentIDs), notNil(d.Citations), notNil(d.Sources), notNil(d.Flags)
		shown.Metadata = &d
	}
	return shown
}

type askInput struct {
	Submission
	ProjectPath
	Accept string `header:"Accept" maxLength:"1000" doc:"text/event-stream answers with the stream of the answer" example:"text/event-stream"`
	Body   NewQuestion
}

// ChatMessagePath names a message in an address.
type ChatMessagePath struct {
	ProjectPath
	MessageID uuid.UUID `path:"message_id" format:"uuid"`
}

type chatInput struct {
	Paging
	ProjectPath
	Order string `query:"order" enum:"oldest,newest" default:"oldest" doc:"Which end to begin at"`
}

type chatMessageOutput struct {
	Body ChatMessage
}

// asked answers as submitted does, or with a stream.
type asked struct {
	Location          string             `header:"Location" doc:"The job"`
	RetryAfter        string             `header:"Retry-After" doc:"Seconds until it is worth asking"`
	PreferenceApplied string             `header:"Preference-Applied"`
	Body              func(huma.Context) `json:"-"`
}

func (s *server) chatOperations() {
	const tag, path = "chat", "/chat/{project_id}"
	missing := []domain.Code{domain.CodeNotFound}
	ask := submitEndpoint[AcceptedQuestion, ChatMessage](s, endpoint{
		id: "ask", scope: domain.ScopeChat, method: http.MethodPost, path: path, tag: tag, summary: "Ask the documents of a project",
		description: "The answer cites passages of the project's documents, or says that they do not answer the question. " +
			"With `Accept: text/event-stream` it streams, after an event called accepted with an AcceptedQuestion; hanging up does not stop it. " +
			"One question at a time: chat_busy while the last one is being answered.",
		codes: append(answerCodes(), domain.CodeChatBusy),
	})
	ask.responses["200"] = s.answerResponse("With `Accept: text/event-stream`: the answer as it is written")
	register(s, ask, s.ask)
	registerList(s, endpoint{
		id: "list-chat", scope: domain.ScopeChat, method: http.MethodGet, path: path, tag: tag, summary: "List the chat of a project",
		description: "Oldest first, unless asked otherwise.", codes: []domain.Code{domain.CodeInvalidCursor, domain.CodeNotFound},
	}, s.listChat)
	register(s, endpoint{
		id: "clear-chat", scope: domain.ScopeChat, method: http.MethodDelete, path: path, tag: tag, summary: "Clear the chat of a project",
		description: "Stops what is being answered, too.", status: http.StatusNoContent, codes: missing,
	}, s.clearChat)
	const message = path + "/messages/{message_id}"
	register(s, endpoint{id: "get-chat-message", scope: domain.ScopeChat, method: http.MethodGet, path: message, tag: tag, summary: "Get a message", codes: missing}, s.getChatMessage)
	register(s, endpoint{
		id: "delete-chat-message", scope: domain.ScopeChat, method: http.MethodDelete, path: message, tag: tag, summary: "Delete a turn",
		description: "The question and the answer that the message is one of; stops its job, too.", status: http.StatusNoContent, codes: missing,
	}, s.deleteChatMessage)
	register(s, endpoint{
		id: "stream-chat-message", scope: domain.ScopeChat, method: http.MethodGet, path: message + "/stream", tag: tag, summary: "Follow an answer being written",
		description: "Server-sent events: start when an attempt begins, which voids the text before it; token with a ChatToken; " +
			"and at last done, or failed, with the ChatMessage, whose content is the text that counts. " +
			"With Last-Event-ID it goes on behind that event; 204 says that there is nothing more to come.",
		timeout: -1, codes: missing, responses: map[string]*huma.Response{
			"200": s.answerResponse("What was written so far, then the rest"), "204": {Description: "There is nothing more to come"},
		},
	}, s.streamAnswer)
}

// answerCodes are those of an answer that fails. A provider that is down is not
// among them: the answer waits for it, until it has timed out.
func answerCodes() []domain.Code {
	return []domain.Code{
		domain.CodeProviderUnknown, domain.CodeModelNotFound, domain.CodeModelTimeout, domain.CodeModelMalformed,
		domain.CodeModelRefused, domain.CodeContextTooLong, domain.CodeLocalOnly, domain.CodeBudgetExceeded, domain.CodeTimedOut,
	}
}

func (s *server) ask(ctx context.Context, in *askInput) (*asked, error) {
	if strings.TrimSpace(in.Body.Message) == "" {
		return nil, invalid("body.message", "must not be empty")
	}
	hash, err := requestHash(domain.KindChat, in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	sub := domain.Submission{
		UserID: userID(ctx), ProjectID: &in.ID, Kind: domain.KindChat, Stage: domain.StageChat, Class: domain.ClassInteractive,
		IdempotencyKey: in.IdempotencyKey, RequestHash: hash, Trace: traceparent(ctx),
	}
	job, err := s.replay(ctx, sub)
	if err != nil {
		return nil, err
	}
	if job != nil {
		question, answer, err := s.Chats.Turn(ctx, sub.UserID, in.ID, job.ResourceID)
		if err != nil {
			return nil, err
		}
		return s.followAnswer(ctx, in, question, answer, *job)
	}
	question, answer, err := s.turn(ctx, in)
	if err != nil {
		return nil, err
	}
	sub.ResourceID = answer.ID
	question, answer, accepted, err := s.Chats.CreateTurn(ctx, question, answer, sub)
	if err != nil {
		return nil, err
	}
	return s.followAnswer(ctx, in, question, answer, accepted)
}

// turn refuses at once what could only fail later.
func (s *server) turn(ctx context.Context, in *askInput) (question, answer domain.ChatMessage, err error) {
	if _, err := s.Providers.Provider(in.Body.Provider); err != nil {
		return question, answer, err
	}
	if err := s.ownsAll(ctx, &in.ID, in.Body.Documents); err != nil {
		return question, answer, err
	}
	m := domain.ChatMessage{UserID: userID(ctx), ProjectID: in.ID, Role: domain.ChatUser, State: domain.ChatReady, Content: in.Body.Message}
	question, answer = m, m
	answer.Role, answer.State, answer.Content = domain.ChatAssistant, domain.ChatPending, ""
	answer.Metadata = domain.ChatMetadata{
		Provider: in.Body.Provider, Model: plain(in.Body.Model, 200), Temperature: in.Body.Temperature, DocumentIDs: unique(in.Body.Documents),
	}
	if question.ID, err = uuid.NewV7(); err != nil {
		return question, answer, err
	}
	answer.ID, err = uuid.NewV7()
	return question, answer, err
}

func (s *server) followAnswer(ctx context.Context, in *askInput, question, answer domain.ChatMessage, job domain.Job) (*asked, error) {
	accepted := func(j Job) any {
		return AcceptedQuestion{Job: j, Question: toChatMessage(question), Message: toChatMessage(answer)}
	}
	if strings.Contains(strings.ToLower(in.Accept), "text/event-stream") {
		s.Engine.Submitted(job)
		first := accepted(s.showJob(ctx, job))
		stream := s.streaming(func(ctx context.Context, out *eventStream) error {
			if err := out.send("", "accepted", first); err != nil {
				return err
			}
			return s.sendAnswer(ctx, out, answer, job, place{})
		})
		return &asked{Location: jobPath(job.ID), Body: stream.Body}, nil
	}
	out, err := s.follow(ctx, in.Submission, job, result{
		accepted: accepted,
		finished: func(ctx context.Context) (any, error) {
			done, err := s.Chats.ChatMessage(ctx, answer.UserID, answer.ProjectID, answer.ID)
			return toChatMessage(done), err
		},
	})
	if err != nil {
		return nil, err
	}
	return &asked{
		Location: out.Location, RetryAfter: out.RetryAfter, PreferenceApplied: out.PreferenceApplied,
		Body: func(hc huma.Context) { s.reply(hc, out.Status, out.Body) },
	}, nil
}

func (s *server) listChat(ctx context.Context, in *chatInput) (Page[ChatMessage], error) {
	if _, err := s.Store.Project(ctx, userID(ctx), in.ID); err != nil {
		return Page[ChatMessage]{}, err
	}
	list := "chat/" + in.Order + "/" + in.ID.String()
	from, err := s.cursors.decode(list, userID(ctx), in.Cursor)
	if err != nil {
		return Page[ChatMessage]{}, err
	}
	size, read := in.size(atRoot(ctx)), s.Chats.ChatsAfter
	if in.Order == "newest" {
		read = s.Chats.ChatsBefore
	}
	rows, err := read(ctx, userID(ctx), in.ID, ordinal(from), size)
	return cut(s.cursors, list, userID(ctx), rows, size, chatPosition, toChatMessage), err
}

// chatPosition and ordinal put a message's place in a cursor and take it out.
func chatPosition(m domain.ChatMessage) (position uuid.UUID) {
	binary.BigEndian.PutUint64(position[8:], uint64(m.Ordinal))
	return position
}

func ordinal(position *uuid.UUID) int64 {
	if position == nil {
		return 0
	}
	return int64(binary.BigEndian.Uint64(position[8:]))
}

func (s *server) clearChat(ctx context.Context, in *ProjectPath) (*struct{}, error) {
	stopped, err := s.Chats.ClearChat(ctx, userID(ctx), in.ID)
	s.stopped(ctx, stopped, err)
	return nil, err
}

func (s *server) getChatMessage(ctx context.Context, in *ChatMessagePath) (*chatMessageOutput, error) {
	m, err := s.Chats.ChatMessage(ctx, userID(ctx), in.ID, in.MessageID)
	return &chatMessageOutput{Body: toChatMessage(m)}, err
}

func (s *server) deleteChatMessage(ctx context.Context, in *ChatMessagePath) (*struct{}, error) {
	stopped, err := s.Chats.DeleteTurn(ctx, userID(ctx), in.ID, in.MessageID)
	s.stopped(ctx, stopped, err)
	return nil, err
}
