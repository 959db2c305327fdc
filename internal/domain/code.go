package domain

// Code is a stable name of a kind of failure. Codes are part of the HTTP
// contract and of job errors; they are never renamed.
type Code string

// Codes of requests.
const (
	CodeInvalid           Code = "invalid_request"
	CodeInvalidCursor     Code = "invalid_cursor"
	CodeUnauthorized      Code = "unauthorized"
	CodeTokenExpired      Code = "token_expired"
	CodeBadCredentials    Code = "bad_credentials"
	CodeForbidden         Code = "forbidden"
	CodeNotFound          Code = "not_found"
	CodeMethodNotAllowed  Code = "method_not_allowed"
	CodeConflict          Code = "conflict"
	CodeEmailTaken        Code = "email_taken"
	CodeOwnAccount        Code = "own_account" // administrators do not do this to themselves
	CodeLastAdmin         Code = "last_admin"
	CodeTooLarge          Code = "too_large"
	CodeUnsupportedType   Code = "unsupported_type"
	CodeEmptyDocument     Code = "empty_document"
	CodeRateLimited       Code = "rate_limited"
	CodeTimeout           Code = "timeout"
	CodeUnavailable       Code = "unavailable"
	CodeInternal          Code = "internal"
	CodeRegistrationShut  Code = "registration_closed"
	CodeLinkInvalid       Code = "link_invalid"
	CodeMailMissing       Code = "mail_not_configured"
	CodeIdempotencyReused Code = "idempotency_key_reused"
)

// Codes of extraction.
const (
	CodeDocumentEncrypted  Code = "document_encrypted"
	CodeDocumentMalformed  Code = "document_malformed"
	CodeDocumentTooComplex Code = "document_too_complex"
	CodeNoTextFound        Code = "no_text_found"
	CodeTimedOut           Code = "timed_out"
	CodeURLInvalid         Code = "url_invalid"
	CodeURLForbidden       Code = "url_forbidden" // private, local or otherwise not public
	CodeURLRedirectLoop    Code = "url_redirect_loop"
	CodeURLRobotsDenied    Code = "url_robots_denied"
	CodeURLUnreachable     Code = "url_unreachable"
	CodeURLStatus          Code = "url_bad_status"
)

// Codes of models.
const (
	CodeModelNotFound    Code = "model_not_found"
	CodeModelUnavailable Code = "model_unavailable" // provider down or refusing connections
	CodeModelOverloaded  Code = "model_overloaded"  // 503 and the like
	CodeModelRateLimited Code = "model_rate_limited"
	CodeModelTimeout     Code = "model_timeout"
	CodeModelMalformed   Code = "model_malformed" // cut stream, invalid JSON, wrong shape, bad vectors
	CodeModelRefused     Code = "model_refused"
	CodeContextTooLong   Code = "context_too_long"
	CodeProviderUnknown  Code = "provider_unknown"
	CodeLocalOnly        Code = "local_only"       // it must not reach a cloud provider
	CodeBudgetExceeded   Code = "budget_exceeded"  // of the user, this month
	CodeLLMRateLimited   Code = "llm_rate_limited" // our own limit per user, not a provider's
)

// Codes of stories.
const (
	CodeRefinementUnfaithful Code = "refinement_unfaithful" // names, numbers or dates that the original lacks
	CodePhotoMalformed       Code = "photo_malformed"
	CodePhotoTooLarge        Code = "photo_too_large" // too many pixels
)

// Codes of jobs.
const (
	CodeWorkerLost   Code = "worker_lost" // the worker died during the attempt, too often
	CodeCancelled    Code = "cancelled"
	CodeNotReady     Code = "document_not_ready"
	CodeNotCancel    Code = "not_cancellable"
	CodeNotRetryable Code = "not_retryable"
	CodeChatBusy     Code = "chat_busy" // the last question of the project is still being answered

	CodeReembeddingIncomplete Code = "reembedding_incomplete" // some documents could not be embedded
	CodeRecallLow             Code = "recall_low"             // the new space does not find what is in it
)

// Retryable reports whether an attempt that ended with this code may be tried
// again: true for conditions that time can mend.
func (c Code) Retryable() bool {
	switch c {
	case CodeUnavailable, CodeInternal, CodeTimeout, CodeURLUnreachable,
		CodeModelUnavailable, CodeModelOverloaded, CodeModelRateLimited,
		CodeModelTimeout, CodeModelMalformed, CodeLLMRateLimited:
		return true
	}
	return false
}

// Free reports whether an attempt that ended with this code costs the job
// nothing, because the fault lies with a provider that asked us to wait, or the
// user has asked as much as is allowed in a minute.
func (c Code) Free() bool {
	return c == CodeLLMRateLimited || c == CodeModelRateLimited || c == CodeModelOverloaded || c == CodeModelUnavailable
}
