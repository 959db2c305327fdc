package matching

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// Retriever finds passages in a user's documents.
type Retriever interface {
	Passages(ctx context.Context, userID uuid.UUID, documents []uuid.UUID, query string, limit int) ([]domain.Passage, error)
}

// modelJudge asks a language model for requirements and verdicts. The model
// never sets a score, and what it quotes is checked.
type modelJudge struct {
	provider  llm.Provider
	model     string
	retriever Retriever // nil: passages are found in memory
	rules     *Rules
	userID    uuid.UUID
	context   int // tokens of the model's window; 0 means defaultContext

	temperature float64
	answers     []domain.Judged
}

func (j *modelJudge) answered() []domain.Judged {
	out := union(j.answers)
	j.answers = nil
	return out
}

const (
	batchSize       = 5    // requirements per call: their answers fit answerTokens
	partSize        = 6000 // characters of a posting per call: its requirements fit answerTokens
	smallestText    = 1500 // characters; a model that fails on less fails for good
	passagesPerItem = 4
)

// ask makes one structured call, notes who answered and decodes the answer.
func (j *modelJudge) ask(ctx context.Context, system, user string, schema json.RawMessage, into any) error {
	resp, err := j.provider.Complete(ctx, llm.CompleteRequest{
		Model: j.model, Schema: schema, MaxTokens: answerTokens, Temperature: j.temperature,
		Messages: []llm.Message{{Role: llm.RoleSystem, Content: system}, {Role: llm.RoleUser, Content: user}},
	})
	if err != nil {
		return err
	}
	j.answers = append(j.answers, domain.Judged{Provider: cmp.Or(resp.Provider, j.provider.Name()), Model: cmp.Or(resp.Model, j.model)})
	if err := json.Unmarshal([]byte(resp.Content), into); err != nil {
		return malformed("The language model did not answer in the form asked for.").WithCause(err)
	}
	return nil
}

func malformed(message string) *domain.Error {
	return domain.Errorf(domain.CodeModelMalformed, "%s", message).
		WithHint("Try again, choose a larger model, or use the offline judge.")
}

type readAnswer struct {
	Title        *string `json:"title"`
	Requirements []struct {
		Text     string                 `json:"text"`
		Kind     domain.RequirementKind `json:"kind"`
		Category domain.Category        `json:"category"`
	} `json:"requirements"`
}

func (j *modelJudge) readPosting(ctx context.Context, text, language string) (domain.Posting, error) {
	out := domain.Posting{Language: language}
	seen := map[string]bool{}
	for _, part := range splitText(text, min(partSize, textBudget(j.context))) {
		answers, err := j.readPart(ctx, part)
		if err != nil {
			return out, err
		}
		for _, a := range answers {
			out.Title = cmp.Or(out.Title, strings.TrimSpace(*a.Title))
			out.Requirements = a.appendTo(out.Requirements, seen)
		}
	}
	finish(&out)
	return out, nil
}

// readPart reads a part of a posting; one that is too much at once is halved.
func (j *modelJudge) readPart(ctx context.Context, part string) ([]readAnswer, error) {
	var answer readAnswer
	err := j.ask(ctx, systemRead, fence("POSTING", part), json.RawMessage(schemaRead), &answer)
	if err == nil {
		err = answer.check()
	}
	if err == nil {
		return []readAnswer{answer}, nil
	}
	n := utf8.RuneCountInString(part)
	if !tooMuch(err) || n < smallestText {
		return nil, err
	}
	var out []readAnswer
	for _, half := range splitText(part, n/2+1) {
		answers, err := j.readPart(ctx, half)
		if err != nil {
			return nil, err
		}
		out = append(out, answers...)
	}
	return out, nil
}

// tooMuch tells failures that less text may mend.
func tooMuch(err error) bool {
	code := domain.CodeOf(err)
	return code == domain.CodeContextTooLong || code == domain.CodeModelMalformed
}

// appendTo adds the requirements that are not there yet.
func (a *readAnswer) appendTo(reqs []domain.Requirement, seen map[string]bool) []domain.Requirement {
	for _, r := range a.Requirements {
		text := strings.TrimSpace(r.Text)
		if key := strings.ToLower(text); !seen[key] {
			seen[key] = true
			reqs = append(reqs, domain.Requirement{Text: text, Kind: r.Kind, Category: r.Category})
		}
	}
	return reqs
}

// check holds the answer against what the schema promised: a provider may not
// enforce it.
func (a *readAnswer) check() error {
	if a.Title == nil {
		return malformed("The language model left out the title of the posting.")
	}
	categories := []domain.Category{
		domain.CategoryExperience, domain.CategoryEducation, domain.CategoryLicence, domain.CategoryLanguage,
		domain.CategorySkill, domain.CategoryDuty, domain.CategorySoft,
	}
	for _, r := range a.Requirements {
		if strings.TrimSpace(r.Text) == "" || !slices.Contains(categories, r.Category) ||
			r.Kind != domain.RequirementMust && r.Kind != domain.RequirementNice {
			return malformed("The language model listed a requirement without text, kind or category.")
		}
	}
	return nil
}

type verdictAnswer struct {
	Verdicts []struct {
		ID         string       `json:"id"`
		Level      domain.Level `json:"level"`
		Confidence float64      `json:"confidence"`
		Quote      string       `json:"quote"`
		Reason     string       `json:"reason"`
	} `json:"verdicts"`
}

func (j *modelJudge) verdicts(ctx context.Context, posting domain.Posting, sources []*Source, language string, done func(int)) ([]domain.Verdict, error) {
	reader := j.newReader(sources, posting)
	var out []domain.Verdict
	for batch := range slices.Chunk(posting.Requirements, batchSize) {
		verdicts, err := j.readAndJudge(ctx, reader, batch, language)
		if err != nil {
			return nil, err
		}
		out = append(out, verdicts...)
		done(len(verdicts))
	}
	return out, nil
}

// readAndJudge shows the model less while the text is more than it can hold:
// our count of tokens is an estimate.
func (j *modelJudge) readAndJudge(ctx context.Context, r *reader, batch []domain.Requirement, language string) ([]domain.Verdict, error) {
	for {
		text, err := r.text(ctx, batch)
		if err != nil {
			return nil, err
		}
		verdicts, err := j.judgeBatch(ctx, batch, text, r.sources, language)
		if domain.CodeOf(err) != domain.CodeContextTooLong || r.limit < smallestText {
			return verdicts, err
		}
		r.limit /= 2
	}
}

// judgeBatch asks for the verdicts of a batch and once more for those left
// out. What is left out twice counts as not met and says so.
func (j *modelJudge) judgeBatch(ctx context.Context, batch []domain.Requirement, text string, sources []*Source, language string) ([]domain.Verdict, error) {
	got := map[string]domain.Verdict{}
	open := batch
	for range 2 {
		if err := j.askVerdicts(ctx, open, text, sources, language, got); err != nil {
			return nil, err
		}
		open = slices.DeleteFunc(slices.Clone(open), func(r domain.Requirement) bool { _, ok := got[r.ID]; return ok })
		if len(open) == 0 {
			break
		}
	}
	out := make([]domain.Verdict, 0, len(batch))
	for _, r := range batch {
		v, ok := got[r.ID]
		if !ok {
			v = unjudged(r, language)
		}
		out = append(out, v)
	}
	return out, nil
}

func unjudged(r domain.Requirement, language string) domain.Verdict {
	return domain.Verdict{
		RequirementID: r.ID, Level: domain.LevelMissing, Reason: wordingIn(language).unjudged,
		Evidence: []domain.Evidence{}, Flags: []domain.Flag{domain.FlagUnjudged},
	}
}

// askVerdicts adds the verdicts of one answer to got. Ids that were not asked
// for and second answers to the same id are ignored.
func (j *modelJudge) askVerdicts(ctx context.Context, reqs []domain.Requirement, text string, sources []*Source, language string, got map[string]domain.Verdict) error {
	schema, err := judgeSchema(reqs)
	if err != nil {
		return err
	}
	var answer verdictAnswer
	user := "Requirements:\n" + listRequirements(reqs) + "\n" + fence("APPLICANT", text)
	if err := j.ask(ctx, fmt.Sprintf(systemJudge, languageName(language)), user, schema, &answer); err != nil {
		return err
	}
	for _, a := range answer.Verdicts {
		asked := slices.ContainsFunc(reqs, func(r domain.Requirement) bool { return r.ID == a.ID })
		if _, known := got[a.ID]; known || !asked {
			continue
		}
		switch a.Level {
		case domain.LevelFull, domain.LevelPartial, domain.LevelMissing:
		default:
			return malformed("The language model gave a verdict that is neither full, partial nor missing.")
		}
		v := domain.Verdict{RequirementID: a.ID, Level: a.Level, Confidence: min(max(a.Confidence/100, 0), 1), Reason: strings.TrimSpace(a.Reason)}
		got[a.ID] = CheckQuote(v, a.Quote, sources)
	}
	return nil
}

// CheckQuote looks the quote of a verdict up in the sources and makes it the
// verdict's evidence. A quote that is not there, or none where one is due,
// lowers the level by one and is flagged.
func CheckQuote(v domain.Verdict, quote string, sources []*Source) domain.Verdict {
	v.Evidence, v.Flags = []domain.Evidence{}, []domain.Flag{}
	if v.Level == domain.LevelMissing {
		return v
	}
	if found, ok := FindQuote(sources, quote); ok {
		v.Evidence = found
		return v
	}
	if strings.TrimSpace(quote) == "" {
		v.Flags = append(v.Flags, domain.FlagNoEvidence)
	} else {
		v.Flags = append(v.Flags, domain.FlagUnverifiedQuote)
		v.Evidence = append(v.Evidence, domain.Evidence{Quote: quote})
	}
	v.Flags = append(v.Flags, domain.FlagDowngraded)
	if v.Level == domain.LevelFull {
		v.Level = domain.LevelPartial
	} else {
		v.Level = domain.LevelMissing
	}
	return v
}
