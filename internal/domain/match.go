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
	BatchID            *uuid.UUID    `json:"batch_id,omitempty"`
	Combine            bool          `json:"combine"`
	Masked             bool          `json:"masked"`    // no model sees who the applicants are
	Fresh              bool          `json:"fresh"`     // judged anew, not from cache
	Stability          int           `json:"stability"` // judgements of each candidate; 0 is one, as usual
	Language           string        `json:"language"`  // of the reply; "" asks for the posting's
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
	ID           string          `json:"id" example:"r1"`
	Text         string          `json:"text" example:"Three years of payroll experience"`
	Kind         RequirementKind `json:"kind" example:"must"`
	Weight       float64         `json:"weight" example:"13.3"`
	Category     Category        `json:"category" example:"experience"`
	Alternatives []string        `json:"alternatives,omitempty" example:"[\"Bachelor degree in accounting\",\"Apprenticeship as a tax clerk\"]"`
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
	FlagOtherModel   Flag = "other_provider"           // a provider other than the one asked for helped to judge
)

// Evidence is a passage of an applicant's document. CharFrom and CharTo are
// offsets in runes into the document's text: its pages joined by
// PageSeparator. Quote is that passage as it stands in the document; when
// Verified is false it was not found there and has no place.
type Evidence struct {
	DocumentID uuid.UUID `json:"document_id" example:"0198c5b1-0000-7000-8000-000000000003"`
	Filename   string    `json:"filename" example:"cv.pdf"`
	Page       int       `json:"page" example:"2"`
	CharFrom   int       `json:"char_from" example:"1834"`
	CharTo     int       `json:"char_to" example:"1867"`
	Quote      string    `json:"quote" example:"Payroll Clerk, Riverside Mills"`
	Verified   bool      `json:"verified" example:"true"`
}

// Verdict is the judgement of one requirement. Confidence, 0 to 1, is how sure
// the judge is of the level.
type Verdict struct {
	RequirementID string     `json:"requirement_id" example:"r1"`
	Level         Level      `json:"level" example:"full"`
	Confidence    float64    `json:"confidence" example:"0.9"`
	Reason        string     `json:"reason" example:"Ran the payroll for six years."`
	Evidence      []Evidence `json:"evidence"`
	Flags         []Flag     `json:"flags" example:"[]"`
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
	OverallRisk          RiskLevel `json:"overall_risk" example:"low"`
	Factors              []string  `json:"factors" example:"[\"No required point is missing.\"]"`
	MitigationStrategies []string  `json:"mitigation_strategies" example:"[\"Have certificates and references shown.\"]"`
}

// DevelopmentPotential says where a candidate could grow.
type DevelopmentPotential struct {
	Score           int      `json:"score" example:"88"`
	Areas           []string `json:"areas" example:"[\"Fluent German\"]"`
	Timeline        string   `json:"timeline" example:"up to 3 months"`
	Recommendations []string `json:"recommendations" example:"[\"Build on what is partly there: Fluent German\"]"`
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
	JudgedBy             []Judged             `json:"judged_by"`
	JudgedAt             time.Time            `json:"judged_at"`
	Masks                []Mask               `json:"masks,omitempty"`
	Stability            *Stability           `json:"stability,omitempty"`
	Posting              Posting              `json:"posting"` // the requirements as judged
	CacheKey             string               `json:"cache_key"`
	Cached               bool                 `json:"cached"`
}

// Judged names a model that answered for a result, which may be another than
// the one that was asked. The judge without a model is offline in both.
type Judged struct {
	Provider string `json:"provider" example:"ollama"`
	Model    string `json:"model" example:"llama3.2"`
}

// Mask counts what was hidden of one kind before a document was judged.
type Mask struct {
	Kind  MaskKind `json:"kind" example:"name"`
	Count int      `json:"count" example:"3"`
}

// MaskKind says what was hidden.
type MaskKind string

// The kinds of what masking hides.
const (
	MaskName        MaskKind = "name"
	MaskPhoto       MaskKind = "photo"
	MaskBirth       MaskKind = "birth" // date and place of birth, age
	MaskGender      MaskKind = "gender"
	MaskMarital     MaskKind = "marital_status" // and children
	MaskNationality MaskKind = "nationality"
	MaskReligion    MaskKind = "religion"
	MaskAddress     MaskKind = "address"
	MaskEmail       MaskKind = "email"
	MaskPhone       MaskKind = "phone"
	MaskLink        MaskKind = "link"
	MaskSocial      MaskKind = "social_profile"
)

// Stability says how far repeated judgements of one candidate agree. The
// candidate's own result is the judgement whose score is in the middle.
type Stability struct {
	Scores       []int       `json:"scores" doc:"Of each judgement, in the order they were made" example:"[71,68,75]"`
	Mean         float64     `json:"mean" example:"71.5"`
	Min          int         `json:"min" example:"68"`
	Max          int         `json:"max" example:"75"`
	Deviation    float64     `json:"standard_deviation" doc:"Of the scores, over all of them" example:"2.5"`
	Temperature  float64     `json:"temperature" doc:"At which the model was asked" example:"0"`
	Agreement    float64     `json:"agreement" doc:"Mean agreement over the requirements, 0 to 1" example:"0.95"`
	Flips        int         `json:"flips" doc:"Requirements whose verdicts were not all the same" example:"1"`
	Requirements []Agreement `json:"requirements"`
}

// Agreement says how far the verdicts on one requirement agree.
type Agreement struct {
	RequirementID string  `json:"requirement_id" example:"r1"`
	Levels        []Level `json:"levels" doc:"Of each judgement, in order" example:"[\"full\",\"full\",\"partial\"]"`
	Share         float64 `json:"agreement" doc:"Share of the most frequent level, 0 to 1" example:"1"`
	Flips         bool    `json:"flips" doc:"Not all levels are the same" example:"false"`
}
