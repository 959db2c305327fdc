package extraction_test

import (
	"fmt"
	"strings"
	"testing"

	"generalbackend/internal/domain"
	"generalbackend/internal/extraction"
)

// BenchmarkExtract reads PDFs of one owner, of different lengths, one after the
// other and reports pages per second.
func BenchmarkExtract(b *testing.B) {
	line := strings.Repeat("seven words of quite ordinary English text ", 2)
	for _, n := range []int{1, 10, 300} {
		pages := make([][]string, n)
		for i := range pages {
			for l := range 45 {
				pages[i] = append(pages[i], fmt.Sprintf("%d.%d %s", i, l, line))
			}
		}
		source := extraction.Source{Owner: "one", Type: domain.TypePDF, Open: extraction.Bytes(pdf(pages...))}
		b.Run(fmt.Sprintf("pages=%d", n), func(b *testing.B) {
			box := newSandbox(b, extraction.Limits{})
			for b.Loop() {
				if _, err := box.Extract(b.Context(), source, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "pages/s")
		})
	}
}
