package matching

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"generalbackend/internal/domain"
)

// wording holds the sentences of one language.
type wording struct {
	found, lacking, nothing, related, years, unjudged           string
	levels                                                      map[domain.Level]string
	summary, strong, medium, weak                               string
	analysisMust, analysisNice, analysisOpen, analysisRelated   string
	gapMissing, gapPartial                                      string
	adviceProve, adviceLearn, adviceInterview, adviceNone       string
	riskMust, riskUnverified, riskRelated, riskNone             string
	mitigateInterview, mitigateProof, mitigateTraining          string
	potentialFast, potentialMedium, potentialSlow, potentialFor string
	quote, decimal                                              string
}

// wordingIn answers the sentences of a language, English ones for others.
func wordingIn(language string) wording {
	switch language {
	case "de":
		return germanWording()
	case "es":
		return spanishWording()
	}
	return englishWording()
}

// reason says in one or two sentences what was found and what was not.
func (w wording) reason(level domain.Level, f finding) string {
	var parts []string
	if f.related && level != domain.LevelMissing {
		parts = append(parts, w.related)
	} else if len(f.found) > 0 && level != domain.LevelMissing {
		parts = append(parts, fmt.Sprintf(w.found, enumerate(f.found)))
	}
	if level != domain.LevelFull && len(f.lacking) > 0 {
		parts = append(parts, fmt.Sprintf(w.lacking, enumerate(f.lacking)))
	}
	if f.asked > 0 && level != domain.LevelMissing {
		parts = append(parts, fmt.Sprintf(w.years, w.number(f.years), w.number(f.asked)))
	}
	if len(parts) == 0 {
		return w.nothing
	}
	return strings.Join(parts, " ")
}

// number writes a number with one decimal, if it needs one.
func (w wording) number(x float64) string {
	text := strings.TrimSuffix(strconv.FormatFloat(x, 'f', 1, 64), ".0")
	return strings.Replace(text, ".", w.decimal, 1)
}

const maxEnumerated = 6

func enumerate(words []string) string {
	seen, out := map[string]bool{}, []string{}
	for _, word := range words {
		word = strings.Join(strings.Fields(word), " ")
		if key := strings.ToLower(word); !seen[key] && len(out) < maxEnumerated {
			seen[key] = true
			out = append(out, shorten(word, 80))
		}
	}
	return strings.Join(out, ", ")
}

// shorten cuts a text at a word for display.
func shorten(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	cut := string([]rune(s)[:limit])
	if i := strings.LastIndexByte(cut, ' '); i > limit/2 {
		cut = cut[:i]
	}
	return strings.TrimRight(cut, " ,;.") + " …"
}

func englishWording() wording {
	return wording{
		found: "Found: %s.", lacking: "Not found: %s.", nothing: "Nothing in the documents speaks of it.",
		related: "Not stated as such, but the work described is in the same field.",
		years:   "Fitting work: %s of %s years asked for.", unjudged: "The model gave no verdict on this.",
		levels:  map[domain.Level]string{domain.LevelFull: "met", domain.LevelPartial: "partly met", domain.LevelMissing: "not evidenced"},
		summary: "%s for %s: %d of 100. Of %d requirements %d are met, %d partly and %d not evidenced.",
		strong:  "Strong match", medium: "Possible match", weak: "Weak match",
		analysisMust: "Required:", analysisNice: "Welcome and tasks:",
		analysisOpen: "Not evidenced:", analysisRelated: "%d verdicts rest on related work rather than on the same words; ask about them.",
		gapMissing: "%s: not evidenced", gapPartial: "%s: only partly evidenced",
		adviceProve: "Ask for proof: %s", adviceLearn: "Plan training or ask for experience: %s",
		adviceInterview: "Talk it through in the interview: %s", adviceNone: "Invite to an interview; the documents evidence what is asked for.",
		riskMust: "Required, but not evidenced: %s", riskUnverified: "A quote could not be verified: %s",
		riskRelated: "Rests on related work only: %s", riskNone: "No required point is missing.",
		mitigateInterview: "Clarify the open points in a structured interview.", mitigateProof: "Have certificates and references shown.",
		mitigateTraining: "Agree on training for the missing points before the start.",
		potentialFast:    "up to 3 months", potentialMedium: "6 to 12 months", potentialSlow: "more than 12 months",
		potentialFor: "Build on what is partly there: %s", quote: "“%s”", decimal: ".",
	}
}

func germanWording() wording {
	return wording{
		found: "Gefunden: %s.", lacking: "Nicht gefunden: %s.", nothing: "Die Unterlagen sagen dazu nichts.",
		related: "Nicht ausdrücklich genannt, aber die beschriebene Arbeit liegt im selben Fachgebiet.",
		years:   "Passende Tätigkeit: %s von %s geforderten Jahren.", unjudged: "Das Modell hat hierzu kein Urteil abgegeben.",
		levels:  map[domain.Level]string{domain.LevelFull: "erfüllt", domain.LevelPartial: "teilweise erfüllt", domain.LevelMissing: "nicht belegt"},
		summary: "%s für %s: %d von 100. Von %d Anforderungen sind %d erfüllt, %d teilweise erfüllt und %d nicht belegt.",
		strong:  "Starke Übereinstimmung", medium: "Mögliche Übereinstimmung", weak: "Schwache Übereinstimmung",
		analysisMust: "Gefordert:", analysisNice: "Erwünscht und Aufgaben:",
		analysisOpen: "Nicht belegt:", analysisRelated: "%d Bewertungen beruhen auf verwandter Arbeit statt auf denselben Begriffen; fragen Sie danach.",
		gapMissing: "%s: nicht belegt", gapPartial: "%s: nur teilweise belegt",
		adviceProve: "Nachweis anfordern: %s", adviceLearn: "Schulung einplanen oder Erfahrung erfragen: %s",
		adviceInterview: "Im Gespräch klären: %s", adviceNone: "Zum Gespräch einladen; die Unterlagen belegen das Geforderte.",
		riskMust: "Gefordert, aber nicht belegt: %s", riskUnverified: "Ein Zitat ließ sich nicht prüfen: %s",
		riskRelated: "Beruht nur auf verwandter Arbeit: %s", riskNone: "Kein geforderter Punkt fehlt.",
		mitigateInterview: "Offene Punkte in einem strukturierten Gespräch klären.", mitigateProof: "Zeugnisse und Referenzen vorlegen lassen.",
		mitigateTraining: "Für fehlende Punkte vor dem Start Schulungen vereinbaren.",
		potentialFast:    "bis 3 Monate", potentialMedium: "6 bis 12 Monate", potentialSlow: "mehr als 12 Monate",
		potentialFor: "Auf Vorhandenem aufbauen: %s", quote: "„%s“", decimal: ",",
	}
}

func spanishWording() wording {
	return wording{
		found: "Encontrado: %s.", lacking: "No encontrado: %s.", nothing: "Los documentos no dicen nada al respecto.",
		related: "No consta expresamente, pero el trabajo descrito es del mismo campo.",
		years:   "Trabajo afín: %s de %s años pedidos.", unjudged: "El modelo no dio ninguna valoración.",
		levels:  map[domain.Level]string{domain.LevelFull: "cumplido", domain.LevelPartial: "cumplido en parte", domain.LevelMissing: "sin prueba"},
		summary: "%s para %s: %d de 100. De %d requisitos, %d se cumplen, %d en parte y %d no constan.",
		strong:  "Coincidencia alta", medium: "Coincidencia posible", weak: "Coincidencia baja",
		analysisMust: "Exigido:", analysisNice: "Deseable y tareas:",
		analysisOpen: "Sin prueba:", analysisRelated: "%d valoraciones se basan en trabajo afín y no en los mismos términos; conviene preguntar.",
		gapMissing: "%s: sin prueba", gapPartial: "%s: probado solo en parte",
		adviceProve: "Pedir justificante: %s", adviceLearn: "Prever formación o preguntar por la experiencia: %s",
		adviceInterview: "Aclarar en la entrevista: %s", adviceNone: "Invitar a una entrevista; los documentos prueban lo pedido.",
		riskMust: "Exigido, pero sin prueba: %s", riskUnverified: "Una cita no pudo comprobarse: %s",
		riskRelated: "Se basa solo en trabajo afín: %s", riskNone: "No falta ningún punto exigido.",
		mitigateInterview: "Aclarar los puntos abiertos en una entrevista estructurada.", mitigateProof: "Pedir certificados y referencias.",
		mitigateTraining: "Acordar formación para los puntos que faltan antes de empezar.",
		potentialFast:    "hasta 3 meses", potentialMedium: "de 6 a 12 meses", potentialSlow: "más de 12 meses",
		potentialFor: "Aprovechar lo que ya existe en parte: %s", quote: "«%s»", decimal: ",",
	}
}
