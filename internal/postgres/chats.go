package postgres

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

var errChatBusy = domain.Errorf(domain.CodeChatBusy, "The last question in this project is still being answered.").
	WithHint("Wait for the answer, or cancel its job.")

// CreateTurn adds a question and its pending answer to the end of a project's
// chat and submits the job that answers, in one transaction. While an answer is
// pending the chat is busy. A repeated idempotency key returns the first turn.
func (s *Store) CreateTurn(ctx context.Context, question, answer domain.ChatMessage, sub domain.Submission) (q, a domain.ChatMessage, job domain.Job, err error) {
	err = s.tx(ctx, func(queries *dbsqlc.Queries) error {
		end, err := chatEnd(ctx, queries, question)
		if err != nil {
			return err
		}
		question.Ordinal, answer.Ordinal, answer.QuestionID = end+1, end+2, &question.ID
		if q, err = insertChat(ctx, queries, question); err != nil {
			return err
		}
		if a, err = insertChat(ctx, queries, answer); err != nil {
			return err
		}
		job, err = submit(ctx, queries, sub)
		if isUnique(err, "jobs_idempotency") {
			return errReplay
		}
		return err
	})
	if err == nil || !errors.Is(err, errReplay) && domain.CodeOf(err) != domain.CodeChatBusy {
		return q, a, job, err
	}
	first, replayErr := s.Replay(ctx, sub)
	if domain.CodeOf(replayErr) == domain.CodeNotFound {
		return q, a, job, err
	}
	if replayErr != nil {
		return q, a, job, replayErr
	}
	q, a, err = s.Turn(ctx, sub.UserID, question.ProjectID, first.ResourceID)
	return q, a, first, err
}

// chatEnd locks the chat of a project and returns its last ordinal.
func chatEnd(ctx context.Context, queries *dbsqlc.Queries, m domain.ChatMessage) (int64, error) {
	if _, err := queries.LockProject(ctx, dbsqlc.LockProjectParams{ID: m.ProjectID, UserID: m.UserID}); err != nil {
		return 0, err
	}
	end, err := queries.ChatEnd(ctx, dbsqlc.ChatEndParams{ProjectID: m.ProjectID, UserID: m.UserID})
	if err == nil && end.Pending {
		err = errChatBusy
	}
	return end.Ordinal, err
}

func insertChat(ctx context.Context, queries *dbsqlc.Queries, m domain.ChatMessage) (domain.ChatMessage, error) {
	metadata, err := json.Marshal(m.Metadata)
	if err != nil {
		return domain.ChatMessage{}, err
	}
	row, err := queries.InsertChat(ctx, dbsqlc.InsertChatParams{
		ID: m.ID, UserID: m.UserID, ProjectID: m.ProjectID, Ordinal: m.Ordinal, Role: string(m.Role), QuestionID: m.QuestionID,
		Content: m.Content, ChatMetadata: metadata, State: string(m.State),
	})
	if err != nil {
		return domain.ChatMessage{}, err
	}
	return toChat(row)
}

// Turn returns an answer of a project's chat with its question.
func (s *Store) Turn(ctx context.Context, userID, projectID, answerID uuid.UUID) (question, answer domain.ChatMessage, err error) {
	if answer, err = s.ChatMessage(ctx, userID, projectID, answerID); err != nil {
		return question, answer, err
	}
	if answer.QuestionID == nil {
		return question, answer, errNotFound
	}
	question, err = s.ChatMessage(ctx, userID, projectID, *answer.QuestionID)
	return question, answer, err
}

// ChatMessage returns a message of a project's chat.
func (s *Store) ChatMessage(ctx context.Context, userID, projectID, id uuid.UUID) (domain.ChatMessage, error) {
	row, err := s.queries.Chat(ctx, dbsqlc.ChatParams{ID: id, ProjectID: projectID, UserID: userID})
	if err != nil {
		return domain.ChatMessage{}, translate(err)
	}
	return toChat(row)
}

// ChatJob returns the newest job of an answer.
func (s *Store) ChatJob(ctx context.Context, userID, answerID uuid.UUID) (domain.Job, error) {
	row, err := s.queries.JobOfResource(ctx, dbsqlc.JobOfResourceParams{ResourceID: answerID, UserID: userID})
	return toJob(row), translate(err)
}

// ChatsAfter lists the messages of a project's chat, oldest first, from the one
// after an ordinal on.
func (s *Store) ChatsAfter(ctx context.Context, userID, projectID uuid.UUID, after int64, limit int) ([]domain.ChatMessage, error) {
	rows, err := s.queries.ChatsFrom(ctx, dbsqlc.ChatsFromParams{UserID: userID, ProjectID: projectID, After: after, MaxRows: int32(limit)})
	return toChats(rows, err)
}

// ChatsBefore lists the messages of a project's chat, newest first, from the
// one before an ordinal on; 0 starts at the end.
func (s *Store) ChatsBefore(ctx context.Context, userID, projectID uuid.UUID, before int64, limit int) ([]domain.ChatMessage, error) {
	rows, err := s.queries.ChatsBefore(ctx, dbsqlc.ChatsBeforeParams{UserID: userID, ProjectID: projectID, Before: before, MaxRows: int32(limit)})
	return toChats(rows, err)
}

// ClearChat deletes a project's chat and returns the jobs that were asked to
// stop.
func (s *Store) ClearChat(ctx context.Context, userID, projectID uuid.UUID) ([]domain.Job, error) {
	var stopped []dbsqlc.Job
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		if _, err := q.LockProject(ctx, dbsqlc.LockProjectParams{ID: projectID, UserID: userID}); err != nil {
			return err
		}
		var err error
		if stopped, err = q.CancelChatsOfProject(ctx, dbsqlc.CancelChatsOfProjectParams{ProjectID: projectID, UserID: userID}); err != nil {
			return err
		}
		return q.DeleteChats(ctx, dbsqlc.DeleteChatsParams{ProjectID: projectID, UserID: userID})
	})
	return toJobs(stopped), err
}

// DeleteTurn deletes the question and the answer that a message is one of, and
// returns the jobs that were asked to stop.
func (s *Store) DeleteTurn(ctx context.Context, userID, projectID, id uuid.UUID) ([]domain.Job, error) {
	var stopped []dbsqlc.Job
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		m, err := q.Chat(ctx, dbsqlc.ChatParams{ID: id, ProjectID: projectID, UserID: userID})
		if err != nil {
			return err
		}
		question, answer := m.ID, m.ID
		if m.QuestionID != nil {
			question = *m.QuestionID
		} else if answer, err = q.AnswerOf(ctx, dbsqlc.AnswerOfParams{QuestionID: m.ID, UserID: userID}); err != nil {
			return err
		}
		if stopped, err = q.CancelJobsOfResource(ctx, dbsqlc.CancelJobsOfResourceParams{ResourceID: answer, UserID: userID}); err != nil {
			return err
		}
		return q.DeleteChat(ctx, dbsqlc.DeleteChatParams{ID: question, UserID: userID})
	})
	return toJobs(stopped), err
}

// Conversation is the store as the chat stage sees it.
type Conversation struct{ *Store }

// Turn returns the question that an answer is to be written to.
func (c Conversation) Turn(ctx context.Context, answerID uuid.UUID) (domain.ChatTurn, error) {
	row, err := c.queries.ChatForWork(ctx, answerID)
	if err != nil {
		return domain.ChatTurn{}, translate(err)
	}
	answer, err := toChat(row.Chat)
	return domain.ChatTurn{Question: row.Question, Answer: answer}, err
}

// History returns the answered questions before an answer, newest first.
func (c Conversation) History(ctx context.Context, answer domain.ChatMessage, limit int) ([]domain.ChatExchange, error) {
	rows, err := c.queries.ChatHistory(ctx, dbsqlc.ChatHistoryParams{
		ProjectID: answer.ProjectID, UserID: answer.UserID, Before: answer.Ordinal, MaxRows: int32(limit),
	})
	history := make([]domain.ChatExchange, len(rows))
	for i, r := range rows {
		history[i] = domain.ChatExchange(r)
	}
	return history, translate(err)
}

// WordsAt returns the words that stand at a place of a document's text and the
// page they begin on.
func (c Conversation) WordsAt(ctx context.Context, userID, documentID uuid.UUID, from, to int) (words string, page int, err error) {
	row, err := c.queries.PageAt(ctx, dbsqlc.PageAtParams{
		DocumentID: documentID, UserID: userID, CharFrom: int32(from), Length: int32(to - from),
	})
	return row.Words, int(row.Page), translate(err)
}

// SaveAnswer stores an answer and ends its job.
func (c Conversation) SaveAnswer(ctx context.Context, lease domain.Lease, answer domain.ChatMessage) error {
	metadata, err := json.Marshal(answer.Metadata)
	if err != nil {
		return err
	}
	return c.fenced(ctx, lease, func(q *dbsqlc.Queries, held dbsqlc.HoldLeaseRow) error {
		if err := q.SaveChat(ctx, dbsqlc.SaveChatParams{ID: answer.ID, Content: answer.Content, ChatMetadata: metadata}); err != nil {
			return err
		}
		return q.FinishJob(ctx, held.ID)
	})
}

// SavePartial keeps the words of an attempt that was broken off. Unlike other
// effects it is written while the job is being cancelled, too.
func (c Conversation) SavePartial(ctx context.Context, lease domain.Lease, answerID uuid.UUID, content string) error {
	return translate(c.queries.SavePartialChat(ctx, dbsqlc.SavePartialChatParams{
		ID: answerID, Content: content, JobID: lease.JobID, Fence: lease.Fence,
	}))
}

func toChat(r dbsqlc.Chat) (domain.ChatMessage, error) {
	m := domain.ChatMessage{
		ID: r.ID, UserID: r.UserID, ProjectID: r.ProjectID, QuestionID: r.QuestionID, Ordinal: r.Ordinal,
		Role: domain.ChatRole(r.Role), Content: r.Content, State: domain.ChatState(r.State),
		Error: toJobError(r.ErrorCode, r.ErrorDetail, r.ErrorHint), CreatedAt: r.CreatedAt, FinishedAt: r.FinishedAt,
	}
	return m, json.Unmarshal(r.ChatMetadata, &m.Metadata)
}

func toChats(rows []dbsqlc.Chat, err error) ([]domain.ChatMessage, error) {
	if err != nil {
		return nil, translate(err)
	}
	messages := make([]domain.ChatMessage, len(rows))
	for i, r := range rows {
		if messages[i], err = toChat(r); err != nil {
			return nil, err
		}
	}
	return messages, nil
}
