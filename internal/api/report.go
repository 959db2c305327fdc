package api

import (
	"context"
	"mime"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"generalbackend/internal/domain"
	"generalbackend/internal/report"
)

type reportInput struct {
	MatchPath
	Candidate int    `query:"candidate" minimum:"1" maximum:"200" doc:"By rank; 1, the best, by default" example:"1"`
	Language  string `query:"language" enum:"de,en" doc:"Of the report's own words; the match's language by default, English for others" example:"de"`
}

func (s *server) reportOperation() {
	e := endpoint{
		id: "get-match-report", scope: domain.ScopeMatches, method: http.MethodGet, path: "/cv-matcher/matches/{match_id}/report", tag: "cv-matcher",
		summary: "Get a match as a report to print",
		description: "A PDF about one candidate, with a ranking where there are several: score, every requirement with verdict, " +
			"quote and page, strengths, gaps, recommendations, risk and development potential.",
		codes: []domain.Code{domain.CodeNotFound, domain.CodeConflict},
		responses: map[string]*huma.Response{"200": {
			Description: "The report.",
			Content:     map[string]*huma.MediaType{"application/pdf": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
		}},
	}
	register(s, e, s.getReport)
}

func (s *server) getReport(ctx context.Context, in *reportInput) (*huma.StreamResponse, error) {
	m, err := s.Store.Match(ctx, userID(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	subject, err := s.subject(ctx, m, in)
	if err != nil {
		return nil, err
	}
	body, err := report.Match(subject)
	name := mime.FormatMediaType("inline", map[string]string{"filename": "match-" + m.ID.String() + ".pdf"})
	return plainReply("application/pdf", name, body), err
}

// subject is what the report is about, or why there is none.
func (s *server) subject(ctx context.Context, m domain.Match, in *reportInput) (report.Subject, error) {
	place := max(in.Candidate, 1)
	switch {
	case m.State == domain.MatchPending:
		return report.Subject{}, domain.Errorf(domain.CodeConflict, "The match is not judged yet. Follow its job and ask again.")
	case m.State == domain.MatchFailed:
		return report.Subject{}, domain.Errorf(domain.CodeConflict, "The match failed, so there is nothing to report. See its error.")
	case place > len(m.Candidates):
		return report.Subject{}, domain.Errorf(domain.CodeNotFound, "The match has no candidate %d, only %d.", place, len(m.Candidates))
	}
	names, err := s.Batches.DocumentNames(ctx, m.UserID, slices.Concat(m.EmployerDocuments, m.ApplicantDocuments))
	language := in.Language
	if language == "" && m.Language == "de" {
		language = "de"
	}
	return report.Subject{Match: m, Candidate: place - 1, Names: names, Language: language, Created: time.Now().UTC()}, err
}
