package matching

import (
	"regexp"
	"unicode/utf8"
)

// instruction finds sentences that speak to whoever judges a document instead
// of telling about its author. They are left out before anything is judged, so
// that a verdict is the same with and without them.
var instruction = regexp.MustCompile(`(?i)` +
	`\b(ignore|disregard|forget|override|bypass)\b[^.!?]{0,60}\b(instructions?|prompts?|rules|requirements|system message|everything above)\b` +
	`|\b(ignoriere?n?|vergiss|vergessen sie|missachten?)\b[^.!?]{0,60}\b(anweisung\pL*|vorgaben?|instruktion\pL*|regeln|prompts?)\b` +
	`|\b(ignora|ignore|olvida|omite)\b[^.!?]{0,60}\b(instruccion\pL*|reglas|indicaciones)\b` +
	`|\b(give|rate|score|mark|assign|award|judge|evaluate)\b[^.!?]{0,60}\b(full (marks?|score|points)|(as|give) full|100 ?(%|percent|points|of 100|/100)|(maximum|highest|top|perfect) (score|rating|marks?))` +
	`|\b(bewerte|gib|vergib|bewerten sie)\b[^.!?]{0,60}\b(voll\pL*( erfüllt| punktzahl)?|100 ?(%|prozent|punkte)|höchst\pL* (punktzahl|bewertung))` +
	`|\b(otorga|asigna|califica)\b[^.!?]{0,60}\b(100 ?(%|puntos)|puntuación máxima|máxima puntuación|completo)` +
	`|\byou are (now )?(an? )?(ai|assistant|language model|chatbot)\b|\bas an ai (language )?model\b` +
	`|\b(note|message|instructions?|hinweis) (to|for|an|für) (the |die |den )?(ai|llm|ki|model|recruiting system|screening (tool|system)|language model)\b` +
	`|\b(ignore[zr]?|oublie[zr]?|ne tene[zr] pas compte)\b[^.!?]{0,60}\b(instructions?|consignes?|règles|critères)` +
	`|\b(donne[zr]?|attribue[zr]?|évalue[zr]?|note[zr]?)\b[^.!?]{0,60}(100 ?(%|points|pour cent|sur 100)|note maximale|score maximal)` +
	`|\b(ignora|ignorate|dimentica\pL*|trascura\pL*)\b[^.!?]{0,60}\b(istruzioni|regole|indicazioni)` +
	`|\b(assegna\pL*|attribuisci|valuta\pL*)\b[^.!?]{0,60}(100 ?(%|punti|su 100)|punteggio (massimo|pieno))` +
	`|\b(ignore|ignorar|esqueça|desconsidere)\b[^.!?]{0,60}\b(instruções|regras)|\b(atribua|dê|avalie)\b[^.!?]{0,60}(100 ?(%|pontos)|pontuação máxima)` +
	`|\b(negeer|vergeet)\b[^.!?]{0,60}\b(instructies|regels|aanwijzingen)|\b(geef|beoordeel)\b[^.!?]{0,60}(100 ?(%|punten)|maximale score)` +
	`|(zignoruj|pomiń|zapomnij)[^.!?]{0,60}(instrukcj|polece|zasad|reguł)\pL*|(przyznaj|oceń)[^.!?]{0,60}(100 ?(%|punkt)|maksymaln)` +
	`|(önceki|yukarıdaki|tüm)[^.!?]{0,40}(talimat|kural|yönerge)\pL*[^.!?]{0,40}(yok say|unut|görmezden|dikkate alma)|(100 puan|tam puan|en yüksek puan)[^.!?]{0,40}ver` +
	`|(игнорируй|проигнорируй|забудь|не обращай)\pL*[^.!?]{0,60}(инструкци|указани|правил)\pL*|(поставь|оцени|присвой)\pL*[^.!?]{0,60}(100|максимальн)` +
	`|(忽略|無視|无视)[^。.!?]{0,30}(指令|指示|规则|規則)|(满分|滿分|100分)` +
	`|["'“„]?\b(verdicts?|match_level|overall_?score|match_score|requirement_id)["'”“]?\s*[:=]|["'“„](level|confidence)["'”“]\s*:\s*` +
	`|\br\d{1,2}\s*[:=]\s*["'“„]?(full|partial|erfüllt|met|100)\b|\brequirements?\s+r\d{1,2}\b` +
	`|(?:^|\n)\s*(system|assistant|user|human)\s*:\s|<<<(END|APPLICANT|POSTING|TABLE)` +
	`|<\|?(im_start|im_end|system|endoftext)\|?>|\[/?INST\]`)

// addressed finds the segments of a text, in runes, that an instruction
// reaches into.
func addressed(text []rune) [][2]int {
	whole := string(text)
	matches := instruction.FindAllStringIndex(whole, -1)
	if len(matches) == 0 {
		return nil
	}
	var out [][2]int
	segments := segmentSpans(text)
	for _, m := range matches {
		from := utf8.RuneCountInString(whole[:m[0]])
		to := from + utf8.RuneCountInString(whole[m[0]:m[1]])
		for _, s := range segments {
			if s[0] < to && from < s[1] && (len(out) == 0 || out[len(out)-1][0] < s[0]) {
				out = append(out, s)
			}
		}
	}
	return out
}

// leftOut stands where a sentence to the judge stood.
const leftOut = "[…]"

func overlaps(spans [][2]int, from, to int) bool {
	for _, s := range spans {
		if s[0] < to && from < s[1] {
			return true
		}
	}
	return false
}
