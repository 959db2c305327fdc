package domain

import (
	"time"

	"github.com/google/uuid"
)

// MatchState says whether a match has its result.
type MatchState string

// The states of a match.
const (
	MatchPending MatchState = "pending"
	MatchReady   MatchState = "ready"
	MatchFailed  MatchState = "failed"
)

// Judge says who gave the verdicts of a match.
type Judge string

// The judges: rules and retrieval without a model, or a language model.
const (
	JudgeOffline Judge = "offline"
	JudgeLLM     Judge = "llm"
)

// Match compares applicant documents with the posting in the employer
// documents. Each applicant document is a candidate of its own unless Combine
// is set: then all of them describe one person.
type Match struct {
	ID                 uuid.UUID     `json:"id"`
	UserID             uuid.UUID     `json:"user_id"`
	ProjectID          *uuid.UUID    `json:"project_id,omitempty"`
	EmployerDocuments  []uuid.UUID   `json:"employer_documents"`
	ApplicantDocuments []uuid.UUID   `json:"applicant_documents"`
	Combine            bool          `json:"combine"`
	Language           string        `json:"language"` // of the reply; "" asks for the posting's
	Provider           string        `json:"provider"`
	Model              string        `json:"model"`
	PromptVersion      string        `json:"prompt_version"`
	Judge              Judge         `json:"judge"`
	State              MatchState    `json:"state"`
	JobTitle           string        `json:"job_title"`
	Requirements       []Requirement `json:"requirements"`
	Candidates         []Candidate   `json:"candidates"` // by rank
	Error              *JobError     `json:"error,omitempty"`
	CreatedAt          time.Time     `json:"created_at"`
	UpdatedAt          time.Time     `json:"updated_at"`
}

// RequirementKind tells what is demanded from what is merely welcome.
type RequirementKind string

// The kinds of requirement.
const (
	RequirementMust RequirementKind = "must"
	RequirementNice RequirementKind = "nice"
)

// Category says what a requirement is about.
type Category string

// The categories of requirement.
const (
	CategoryRole       Category = "role" // the occupation itself
	CategoryExperience Category = "experience"
	CategoryEducation  Category = "education"
	CategoryLicence    Category = "licence" // licences, certificates, registrations
	CategoryLanguage   Category = "language"
	CategorySkill      Category = "skill"
	CategoryDuty       Category = "duty"
	CategorySoft       Category = "soft"
)

// Requirement is one thing a posting asks for. Alternatives, where there are
// any, are the ways to meet it; one of them is enough.
type Requirement struct {
	ID           string          `json:"id"`
	Text         string          `json:"text"`
	Kind         RequirementKind `json:"kind"`
	Weight       float64         `json:"weight"`
	Category     Category        `json:"category"`
	Alternatives []string        `json:"alternatives,omitempty"`
}

// Posting is what a posting asks for, as it was read.
type Posting struct {
	Title        string        `json:"title"`
	Language     string        `json:"language"`
	Requirements []Requirement `json:"requirements"`
}

// Level says how far a requirement is met.
type Level string

// The levels of a verdict.
const (
	LevelFull    Level = "full"
	LevelPartial Level = "partial"
	LevelMissing Level = "missing"
)

// Flag marks a verdict that needs a second look.
type Flag string

// The flags of a verdict.
const (
	FlagUnverifiedQuote Flag = "unverified_quote" // a quote is not in the documents
	FlagNoEvidence      Flag = "no_evidence"      // claimed as met without a quote
	FlagDowngraded      Flag = "downgraded"       // lowered because of one of the above
	FlagUnjudged        Flag = "unjudged"         // the judge left it out, twice
	FlagRelated         Flag = "related"          // rests on related, not on the same, terms
)

// Flags of a candidate.
const (
	FlagInstructions Flag = "instructions_in_document" // sentences that address the judge; they were left out
	FlagTemplateText Flag = "template_text"            // the model's summary was unusable; templates wrote it
)

// Evidence is a passage of an applicant's document. CharFrom and CharTo are
// offsets in runes into the document's text: its pages joined by
// PageSeparator. Quote is that passage as it stands in the document; when
// Verified is false it was not found there and has no place.
type Evidence struct {
	DocumentID uuid.UUID `json:"document_id"`
	Filename   string    `json:"filename"`
	Page       int       `json:"page"`
	CharFrom   int       `json:"char_from"`
	CharTo     int       `json:"char_to"`
	Quote      string    `json:"quote"`
	Verified   bool      `json:"verified"`
}

// Verdict is the judgement of one requirement. Confidence, 0 to 1, is how sure
// the judge is of the level.
type Verdict struct {
	RequirementID string     `json:"requirement_id"`
	Level         Level      `json:"level"`
	Confidence    float64    `json:"confidence"`
	Reason        string     `json:"reason"`
	Evidence      []Evidence `json:"evidence"`
	Flags         []Flag     `json:"flags"`
}

// RiskLevel grades the risk of a hire.
type RiskLevel string

// The levels of risk.
const (
	RiskLow    RiskLevel = "low"
	RiskMedium RiskLevel = "medium"
	RiskHigh   RiskLevel = "high"
)

// RiskAssessment says what could go wrong and what to do about it.
type RiskAssessment struct {
	OverallRisk          RiskLevel `json:"overall_risk"`
	Factors              []string  `json:"factors"`
	MitigationStrategies []string  `json:"mitigation_strategies"`
}

// DevelopmentPotential says where a candidate could grow.
type DevelopmentPotential struct {
	Score           int      `json:"score"`
	Areas           []string `json:"areas"`
	Timeline        string   `json:"timeline"`
	Recommendations []string `json:"recommendations"`
}

// Candidate is the result for one person. Score, 0 to 100, is computed from
// the verdicts and the weights of the requirements.
type Candidate struct {
	Documents            []uuid.UUID          `json:"documents"`
	Name                 string               `json:"name"`
	Rank                 int                  `json:"rank"`
	Score                int                  `json:"score"`
	Verdicts             []Verdict            `json:"verdicts"`
	Summary              string               `json:"summary"`
	Analysis             string               `json:"analysis"`
	Strengths            []string             `json:"strengths"`
	Gaps                 []string             `json:"gaps"`
	Recommendations      []string             `json:"recommendations"`
	RiskAssessment       RiskAssessment       `json:"risk_assessment"`
	DevelopmentPotential DevelopmentPotential `json:"development_potential"`
	Flags                []Flag               `json:"flags"`
	Posting              Posting              `json:"posting"` // the requirements as judged
	CacheKey             string               `json:"cache_key"`
	Cached               bool                 `json:"cached"`
}
