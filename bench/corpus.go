package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/go-pdf/fpdf"
)

// words are what made texts consist of: frequent words of office prose, so that
// terms repeat about as they do in real documents.
var words = strings.Fields(`the and of to in for with on as by from at project team development management
	experience responsible design analysis customer support quality process data system software service
	sales marketing budget report planning training implementation integration testing maintenance network
	database application security cloud architecture performance requirements documentation coordination
	communication leadership strategy operations logistics production engineering research finance accounting
	compliance audit negotiation procurement recruiting schedule monitoring optimisation migration deployment
	automation reliability measurement improvement workshop presentation stakeholder delivery contract vendor`)

// sentence makes a sentence whose words follow a skewed distribution.
func sentence(r *rand.Rand) string {
	n := 8 + r.IntN(12)
	picked := make([]string, n)
	for i := range picked {
		skewed := r.Float64()
		picked[i] = words[int(skewed*skewed*float64(len(words)))]
		if r.IntN(12) == 0 { // a name or a number that few texts have
			picked[i] = fmt.Sprintf("%c%s%d", 'A'+r.IntN(26), picked[i], r.IntN(1000))
		}
	}
	return strings.ToUpper(picked[0][:1]) + picked[0][1:] + " " + strings.Join(picked[1:], " ") + ". "
}

func paragraph(r *rand.Rand, sentences int) string {
	var b strings.Builder
	for range sentences {
		b.WriteString(sentence(r))
	}
	return strings.TrimSpace(b.String())
}

// makePDF makes a text document of A4 pages with headings and about 3,000
// characters a page. The same seed gives the same document.
func makePDF(seed uint64, pages int) ([]byte, error) {
	r := rand.New(rand.NewPCG(seed, 1))
	doc := fpdf.New("P", "mm", "A4", "")
	doc.SetTitle(fmt.Sprintf("Document %d", seed), false)
	doc.SetAutoPageBreak(false, 0)
	for page := range pages {
		doc.AddPage()
		for section := range 5 {
			doc.SetFont("Helvetica", "B", 13)
			doc.MultiCell(0, 7, fmt.Sprintf("Section %d.%d", page+1, section+1), "", "L", false)
			doc.SetFont("Helvetica", "", 10)
			doc.MultiCell(0, 5, paragraph(r, 6), "", "L", false)
			doc.Ln(2)
		}
	}
	var b bytes.Buffer
	err := doc.Output(&b)
	return b.Bytes(), err
}

// cvPages is the length of a document the size of a CV.
const cvPages = 2

// makeCVs makes distinct documents the size of a CV.
func makeCVs(n int, seed uint64) ([][]byte, error) {
	files := make([][]byte, n)
	for i := range files {
		var err error
		if files[i], err = makePDF(seed+uint64(i), cvPages); err != nil {
			return nil, err
		}
	}
	return files, nil
}
