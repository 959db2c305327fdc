package api

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// Table is a batch as applicants by postings.
type Table struct {
	BatchID    uuid.UUID        `json:"batch_id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000004"`
	State      string           `json:"state" enum:"pending,ready,partial,failed" example:"ready"`
	Postings   []TablePosting   `json:"postings" doc:"The columns, in the order handed in"`
	Applicants []TableApplicant `json:"applicants" doc:"The rows, as sorted"`
}

// TablePosting is a column.
type TablePosting struct {
	MatchID          uuid.UUID `json:"match_id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000006"`
	EmployerDocument uuid.UUID `json:"employer_document" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000002"`
	Name             string    `json:"name" doc:"Of the document" example:"posting.pdf"`
	JobTitle         string    `json:"job_title" example:"Payroll clerk"`
	State            string    `json:"state" enum:"pending,ready,failed" example:"ready"`
	Requirements     int       `json:"requirements" example:"12"`
	MustHaves        int       `json:"must_haves" doc:"Of the requirements" example:"7"`
	Error            *JobError `json:"error,omitempty"`
}

// TableApplicant is a row.
type TableApplicant struct {
	ApplicantDocument uuid.UUID   `json:"applicant_document" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000003"`
	Name              string      `json:"name" doc:"Of the document" example:"cv.pdf"`
	Place             int         `json:"place" doc:"In the table by best score, from 1; equal scores share a place" example:"1"`
	BestMatchID       *uuid.UUID  `json:"best_match_id" format:"uuid" nullable:"true" doc:"The posting that suits best; the first of equal ones"`
	BestScore         *int        `json:"best_score" example:"83"`
	MeanScore         *float64    `json:"mean_score" doc:"Over the postings that were judged" example:"61.5"`
	Cells             []TableCell `json:"cells" doc:"One for each posting, in their order"`
}

// TableCell is one applicant against one posting. All but match_id is null or
// empty until it is judged.
type TableCell struct {
	MatchID     uuid.UUID `json:"match_id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000006"`
	Score       *int      `json:"score" example:"83"`
	Rank        *int      `json:"rank" doc:"Within the posting, from 1" example:"1"`
	Full        int       `json:"full" doc:"Requirements met" example:"9"`
	Partial     int       `json:"partial" doc:"Requirements met in part" example:"2"`
	Missing     int       `json:"missing" doc:"Requirements not met" example:"1"`
	MustMissing []string  `json:"must_missing" doc:"The must-haves not met" example:"[\"Fluent German\"]"`
}

type tableInput struct {
	BatchPath
	Accept string     `header:"Accept" doc:"text/csv asks for CSV" example:"application/json"`
	Format string     `query:"format" enum:"json,csv" doc:"Goes before Accept" example:"csv"`
	BOM    bool       `query:"bom" doc:"Begin CSV with a byte order mark, which Excel wants for umlauts" example:"true"`
	Sort   string     `query:"sort" enum:"best,mean,name,given" doc:"By best score (the default), mean score, name, or as handed in" example:"best"`
	Match  optionalID `query:"match_id" format:"uuid" doc:"Sort by the scores of this posting's match" example:"0198c5b1-0000-7000-8000-000000000006"`
}

func (s *server) batchTableOperation() {
	e := endpoint{
		id: "get-batch-table", scope: domain.ScopeMatches, method: http.MethodGet, path: "/cv-matcher/batches/{batch_id}/table", tag: "cv-matcher",
		summary:     "Get a batch as a ranked table",
		description: "As JSON or, with `Accept: text/csv` or `format=csv`, as CSV after RFC 4180. What is not judged yet is empty.",
		codes:       []domain.Code{domain.CodeNotFound},
		responses:   map[string]*huma.Response{"200": respond[Table](s, "The table.")},
	}
	e.responses["200"].Content["text/csv"] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	register(s, e, s.getBatchTable)
}

func (s *server) getBatchTable(ctx context.Context, in *tableInput) (*huma.StreamResponse, error) {
	table, err := s.batchTable(ctx, in)
	if err != nil {
		return nil, err
	}
	if !in.wantsCSV() {
		body, err := json.Marshal(table)
		return plainReply("application/json", "", body), err
	}
	body, err := table.csv(in.BOM)
	name := mime.FormatMediaType("attachment", map[string]string{"filename": "batch-" + in.ID.String() + ".csv"})
	return plainReply("text/csv; charset=utf-8; header=present", name, body), err
}

// plainReply is a body that was made before.
func plainReply(mediaType, disposition string, body []byte) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", mediaType)
		hc.SetHeader("Content-Length", strconv.Itoa(len(body)))
		hc.SetHeader("Vary", "Accept")
		if disposition != "" {
			hc.SetHeader("Content-Disposition", disposition)
		}
		hc.SetStatus(http.StatusOK)
		_, _ = hc.BodyWriter().Write(body) // a client that is gone needs nothing
	}}
}

// wantsCSV reports whether CSV is asked for, by name or before JSON.
func (in *tableInput) wantsCSV() bool {
	if in.Format != "" {
		return in.Format == "csv"
	}
	for accepted := range strings.SplitSeq(in.Accept, ",") {
		switch kind, _, _ := mime.ParseMediaType(accepted); kind {
		case "text/csv":
			return true
		case "application/json":
			return false
		}
	}
	return false
}

func (s *server) batchTable(ctx context.Context, in *tableInput) (Table, error) {
	b, err := s.Batches.Batch(ctx, userID(ctx), in.ID)
	if err != nil {
		return Table{}, err
	}
	column := -1
	if id := in.Match.get(); id != nil {
		if column = slices.IndexFunc(b.Matches, func(m domain.BatchMatch) bool { return m.ID == *id }); column < 0 {
			return Table{}, invalid("query.match_id", "is not a match of this batch")
		}
	}
	cells, err := s.Batches.BatchCells(ctx, b.UserID, b.ID)
	if err != nil {
		return Table{}, err
	}
	documents := slices.Clone(applicantsOf(b))
	for _, m := range b.Matches {
		documents = append(documents, m.EmployerDocuments...)
	}
	names, err := s.Batches.DocumentNames(ctx, b.UserID, documents)
	if err != nil {
		return Table{}, err
	}
	table := newTable(b, cells, names)
	table.sort(in.Sort, column)
	return table, nil
}

func newTable(b domain.Batch, cells []domain.BatchCell, names map[uuid.UUID]string) Table {
	t := Table{BatchID: b.ID, State: string(b.State()), Postings: []TablePosting{}, Applicants: []TableApplicant{}}
	type place struct{ match, document uuid.UUID }
	known := map[place]domain.BatchCell{}
	for _, c := range cells {
		known[place{c.MatchID, c.Document}] = c
	}
	for _, m := range b.Matches {
		t.Postings = append(t.Postings, toTablePosting(m, names))
	}
	for _, document := range applicantsOf(b) {
		row := TableApplicant{ApplicantDocument: document, Name: names[document]}
		for _, m := range b.Matches {
			cell := TableCell{MatchID: m.ID, MustMissing: []string{}}
			if c, ok := known[place{m.ID, document}]; ok {
				cell.fill(c, m.Requirements)
			}
			row.Cells = append(row.Cells, cell)
		}
		row.summarize()
		t.Applicants = append(t.Applicants, row)
	}
	t.place()
	return t
}

func toTablePosting(m domain.BatchMatch, names map[uuid.UUID]string) TablePosting {
	p := TablePosting{
		MatchID: m.ID, EmployerDocument: m.EmployerDocuments[0], Name: names[m.EmployerDocuments[0]],
		JobTitle: m.JobTitle, State: string(m.State), Requirements: len(m.Requirements), Error: toJobError(m.Error),
	}
	for _, r := range m.Requirements {
		if r.Kind == domain.RequirementMust {
			p.MustHaves++
		}
	}
	return p
}

func (cell *TableCell) fill(c domain.BatchCell, requirements []domain.Requirement) {
	cell.Score, cell.Rank = &c.Score, &c.Rank
	for _, r := range requirements {
		switch c.Levels[r.ID] {
		case domain.LevelFull:
			cell.Full++
		case domain.LevelPartial:
			cell.Partial++
		case domain.LevelMissing:
			cell.Missing++
			if r.Kind == domain.RequirementMust {
				cell.MustMissing = append(cell.MustMissing, r.Text)
			}
		}
	}
}

// summarize finds the best posting and the mean.
func (a *TableApplicant) summarize() {
	sum, n := 0, 0
	for _, c := range a.Cells {
		if c.Score == nil {
			continue
		}
		sum, n = sum+*c.Score, n+1
		if a.BestScore == nil || *c.Score > *a.BestScore {
			a.BestScore, a.BestMatchID = c.Score, &c.MatchID
		}
	}
	if n > 0 {
		mean := math.Round(100*float64(sum)/float64(n)) / 100
		a.MeanScore = &mean
	}
}

// place gives every applicant the place its best score has.
func (t *Table) place() {
	for i := range t.Applicants {
		t.Applicants[i].Place = 1
		for _, other := range t.Applicants {
			if scoreOf(other.BestScore) > scoreOf(t.Applicants[i].BestScore) {
				t.Applicants[i].Place++
			}
		}
	}
}

// scoreOf puts what is not judged below everything.
func scoreOf[T int | float64](score *T) float64 {
	if score == nil {
		return -1
	}
	return float64(*score)
}

// sort orders the rows; equal ones stay as they were handed in.
func (t *Table) sort(by string, column int) {
	compare := func(a, b TableApplicant) int { return cmp.Compare(scoreOf(b.BestScore), scoreOf(a.BestScore)) }
	switch {
	case column >= 0:
		compare = func(a, b TableApplicant) int {
			return cmp.Compare(scoreOf(b.Cells[column].Score), scoreOf(a.Cells[column].Score))
		}
	case by == "given":
		return
	case by == "mean":
		compare = func(a, b TableApplicant) int { return cmp.Compare(scoreOf(b.MeanScore), scoreOf(a.MeanScore)) }
	case by == "name":
		compare = func(a, b TableApplicant) int {
			return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
		}
	}
	slices.SortStableFunc(t.Applicants, compare)
}
