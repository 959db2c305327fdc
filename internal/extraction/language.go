package extraction

import (
	"strings"
	"unicode"

	"github.com/abadojack/whatlanggo"

	"generalbackend/internal/domain"
)

const (
	languageSample = 4 << 10 // bytes of text looked at
	languageChars  = 40      // letters below which no guess is made
	languageSure   = 0.5     // confidence needed
)

// languages are those that can be told apart reliably and that search can stem.
var languages = []whatlanggo.Lang{
	whatlanggo.Deu, whatlanggo.Eng, whatlanggo.Spa, whatlanggo.Fra, whatlanggo.Ita, whatlanggo.Nld,
	whatlanggo.Por, whatlanggo.Dan, whatlanggo.Swe, whatlanggo.Nob, whatlanggo.Fin, whatlanggo.Pol,
	whatlanggo.Ces, whatlanggo.Hun, whatlanggo.Ron, whatlanggo.Tur, whatlanggo.Rus, whatlanggo.Ukr,
	whatlanggo.Ell, whatlanggo.Arb, whatlanggo.Heb, whatlanggo.Cmn, whatlanggo.Jpn, whatlanggo.Kor,
}

// Language names the language of a text in ISO 639-1, or "" when unsure.
func Language(text string) string {
	sample := text[:min(len(text), languageSample)]
	letters := 0
	for _, r := range sample {
		if unicode.IsLetter(r) {
			letters++
		}
	}
	if letters < languageChars {
		return ""
	}
	allowed := make(map[whatlanggo.Lang]bool, len(languages))
	for _, l := range languages {
		allowed[l] = true
	}
	info := whatlanggo.DetectWithOptions(sample, whatlanggo.Options{Whitelist: allowed})
	if info.Confidence < languageSure || !allowed[info.Lang] {
		return ""
	}
	return info.Lang.Iso6391()
}

// language guesses from the middle of a document, past title pages and
// contents; failing that, it believes what the document says of itself.
func language(pages []domain.Page, claimed string) string {
	var text strings.Builder
	start := len(pages) / 3
	for i := range pages {
		p := pages[(start+i)%len(pages)]
		if p.Quality.Readable && text.Len() < languageSample {
			text.WriteString(p.Text)
			text.WriteByte('\n')
		}
	}
	if l := Language(text.String()); l != "" {
		return l
	}
	claimed, _, _ = strings.Cut(strings.ToLower(claimed), "-")
	if len(claimed) == 2 && text.Len() > 0 {
		return claimed
	}
	return ""
}
