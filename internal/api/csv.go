package api

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"
)

// csv writes the table after RFC 4180: one row per applicant, five columns per
// posting. With bom it begins with a byte order mark.
func (t Table) csv(bom bool) ([]byte, error) {
	var b bytes.Buffer
	if bom {
		b.WriteString("\uFEFF")
	}
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	if err := w.Write(t.csvHead()); err != nil {
		return nil, err
	}
	titles := map[string]string{}
	for i, p := range t.Postings {
		titles[p.MatchID.String()] = columnName(p, i)
	}
	for _, a := range t.Applicants {
		if err := w.Write(a.csvRow(titles)); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

func (t Table) csvHead() []string {
	head := []string{"place", "applicant", "applicant_document", "best_posting", "best_score", "mean_score"}
	for i, p := range t.Postings {
		name := columnName(p, i)
		for _, column := range []string{"score", "rank", "full", "partial", "missing", "must-haves missing"} {
			head = append(head, guarded(name+": "+column))
		}
	}
	return head
}

// columnName tells postings of the same title apart.
func columnName(p TablePosting, i int) string {
	name := p.JobTitle
	if name == "" {
		name = p.Name
	}
	return strconv.Itoa(i+1) + " " + name
}

func (a TableApplicant) csvRow(titles map[string]string) []string {
	row := []string{strconv.Itoa(a.Place), guarded(a.Name), a.ApplicantDocument.String(), "", number(a.BestScore), ""}
	if a.BestMatchID != nil {
		row[3] = guarded(titles[a.BestMatchID.String()])
	}
	if a.MeanScore != nil {
		row[5] = strconv.FormatFloat(*a.MeanScore, 'f', -1, 64)
	}
	for _, c := range a.Cells {
		counts := []string{"", "", ""}
		if c.Score != nil {
			counts = []string{strconv.Itoa(c.Full), strconv.Itoa(c.Partial), strconv.Itoa(c.Missing)}
		}
		row = append(row, number(c.Score), number(c.Rank), counts[0], counts[1], counts[2], guarded(strings.Join(c.MustMissing, "; ")))
	}
	return row
}

func number(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// guarded keeps a spreadsheet from taking text for a formula: it is marked as
// text by an apostrophe. Text that only looks so after blanks is marked, too.
func guarded(text string) string {
	if trimmed := strings.TrimLeft(text, " \u00a0\u200b\ufeff"); trimmed != "" && strings.ContainsRune("=+-@\t\r\n|%＝＋－＠", []rune(trimmed)[0]) {
		return "'" + text
	}
	return text
}
