package postgres

import (
	"encoding/json"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

func toJob(r dbsqlc.Job) domain.Job {
	return domain.Job{
		ID: r.ID, UserID: r.UserID, ProjectID: r.ProjectID,
		Kind: r.Kind, Stage: r.Stage, Class: r.Class, State: r.State,
		RunAt: r.RunAt, Attempt: int(r.Attempt), MaxAttempts: int(r.MaxAttempts),
		CancelRequested: r.CancelRequestedAt != nil,
		Progress:        domain.Progress{Done: int(r.ProgressDone), Total: int(r.ProgressTotal), Unit: r.ProgressUnit},
		ResourceID:      r.ResourceID, Args: r.Args,
		Error:    toJobError(r.ErrorCode, r.ErrorDetail, r.ErrorHint),
		EventSeq: r.EventSeq, CreatedAt: r.CreatedAt, DispatchedAt: r.DispatchedAt, StartedAt: r.StartedAt,
		FinishedAt: r.FinishedAt, DiscardedAt: r.DiscardedAt, Worker: deref(r.Worker), Trace: r.Trace,
	}
}

func toJobs(rows []dbsqlc.Job) []domain.Job {
	jobs := make([]domain.Job, len(rows))
	for i, r := range rows {
		jobs[i] = toJob(r)
	}
	return jobs
}

func toJobError(code, detail, hint *string) *domain.JobError {
	if code == nil {
		return nil
	}
	return &domain.JobError{Code: domain.Code(*code), Detail: deref(detail), Hint: deref(hint)}
}

func toUser(r dbsqlc.User) domain.User {
	return domain.User{
		ID: r.ID, Email: r.Email, PasswordHash: r.PasswordHash, Name: r.Name, Language: r.Language,
		IsAdmin: r.IsAdmin, IsActive: r.IsActive, IsVerified: r.IsVerified, LocalOnly: r.LocalOnly, ChoseLocal: r.ChoseLocal,
		WaitsFor: domain.Wait(deref(r.WaitsFor)), PendingEmail: deref(r.PendingEmail),
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
}

func toProject(r dbsqlc.Project) domain.Project {
	return domain.Project{
		ID: r.ID, UserID: r.UserID, Type: domain.ProjectType(r.Type), Name: r.Name,
		Description: r.Description, Config: r.Config, LocalOnly: r.LocalOnly, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
}

func toDocument(r dbsqlc.Document) domain.Document {
	return domain.Document{
		ID: r.ID, UserID: r.UserID, ProjectID: r.ProjectID, Type: r.Type,
		Filename: r.Filename, URL: r.Url, Title: r.Title, Content: r.Content, Metadata: r.DocMetadata,
		SHA256: r.Sha256, Size: r.Size, Language: r.Language, PageCount: int(r.PageCount),
		UnreadablePages: toInts(r.UnreadablePages), State: r.State,
		Error:     toJobError(r.ErrorCode, r.ErrorDetail, r.ErrorHint),
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
}

func toListedDocument(r dbsqlc.DocumentsOfUserRow) domain.Document {
	return toDocument(dbsqlc.Document{
		ID: r.ID, UserID: r.UserID, ProjectID: r.ProjectID, Type: r.Type,
		Filename: r.Filename, Url: r.Url, Title: r.Title, DocMetadata: r.DocMetadata,
		Sha256: r.Sha256, Size: r.Size, Language: r.Language, PageCount: r.PageCount,
		UnreadablePages: r.UnreadablePages, State: r.State,
		ErrorCode: r.ErrorCode, ErrorDetail: r.ErrorDetail, ErrorHint: r.ErrorHint,
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	})
}

func toPage(number int32, text string, quality []byte) (domain.Page, error) {
	page := domain.Page{Number: int(number), Text: text}
	return page, json.Unmarshal(quality, &page.Quality)
}

func toInts(v []int32) []int {
	out := make([]int, len(v))
	for i, n := range v {
		out[i] = int(n)
	}
	return out
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// null turns "" into SQL's NULL.
func null(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
