package matching

import (
	"regexp"
	"slices"
)

// denials find what a document says its author cannot do, has yet to learn, or
// that others can do. The rest of the clause belongs to it.
var denials = regexp.MustCompile(`(?i)(?:` +
	`\b(?:no|not any|without|lack(?:s|ing)?(?: of)?|zero)\s+(?:\pL+\s+){0,3}?(?:experience|knowledge|skills?|training|background|qualifications?|certificat\pL+|licen[cs]es?|degree|exposure)\b` +
	`|\b(?:do|does|did|am|is|are|have|has|had|was|were)(?:\s+not|n['’]t)\s+(?:yet\s+)?(?:\pL+\s+){0,2}?(?:hold|have|possess|know|speak|own|familiar|certified|experienced|worked|used|completed|licensed|qualified|trained)\b` +
	`|\bnot (?:yet |currently )?(?:holding|certified|licensed|familiar|qualified|experienced|trained)\b` +
	`|\bnever\s+(?:\pL+\s+)?(?:worked|used|learn\pL+|studied|programmed|operated|managed|held|taken)\b` +
	`|\b(?:willing|willingness|eager|keen|happy|ready|open|hoping|planning|motivated)\s+to\s+(?:\pL+\s+){0,2}?(?:learn|acquire|train|obtain|study|improve|get|take|become|gain|familiari[sz]e)\b` +
	`|\b(?:would like|wants?|looking forward)\s+to\s+(?:learn|acquire|obtain|study|become)\pL*\b` +
	`|\binterest(?:ed)? in\b|\bunfamiliar with\b` +
	`|\b(?:preparing|studying) for\b|\bworking towards? (?:an?|my|the)\b` +
	`|\bmy\s+(?:\pL+\s+)?(?:colleagues?|co-?workers?|supervisors?|managers?|boss|team ?mates?|brother|sister|wife|husband|father|mother|partner|friends?|spouse|son|daughter)\s+(?:\pL+ly\s+)?(?:was|is|were|are|has|have|had|kn[eo]ws?|speaks?|spoke|holds?|held|did|does|wrote|writes|buil[dt]s?|maintain\pL*|manage[ds]?|handle[ds]?|work(?:s|ed)|use[ds]|runs?|ran|programs?|codes?|taught|teaches)\b` +
	`|\b(?:kein(?:e|en|er|erlei)?|ohne)\s+(?:\pL+\s+){0,2}?(?:\pL*erfahrung\pL*|\pL*kenntnisse?\pL*|führerschein|fahrerlaubnis|\pL*ausbildung|\pL*abschluss|\pL*studium|zertifikat\pL*)` +
	`|\bnicht (?:vertraut|erfahren|im besitz)\b|\bnoch (?:nie|nicht)\b|\bvorbereitung auf\b` +
	`|\b(?:bereit|bereitschaft|gerne?|motiviert|möchte|würde)\b[^.;!?\n]{0,60}?(?:\b(?:er)?lern\pL*|einarbeit\pL*|einzuarbeiten|weiterbild\pL*|weiterzubilden|aneignen|anzueignen|erwerben)` +
	`|\binteress(?:e an|e für|iert an|iere mich für)\b` +
	`|\bmein(?:e[mnr]?)?\s+(?:\pL+\s+)?(?:kolleg\pL*|chef\pL*|vorgesetzt\pL*|bruder|schwester|mann|frau|vater|mutter|partner\pL*|freund\pL*|sohn|tochter)\s+(?:ist|war|hat|hatte|arbeitet\pL*|kann|konnte|spricht|sprach|betreut\pL*|machte?|leitete?|programmiert\pL*|beherrscht\pL*|kennt|pflegt\pL*|nutzt\pL*)` +
	`)(?:[^.;!?\n]|\n\p{Ll})*`)

// deniedBefore finds clauses that are denied at their end.
var deniedBefore = regexp.MustCompile(`(?i)[^.,;!?\n]*(?:` +
	`\b(?:habe|hatte|kann|konnte|bin|besitze|verfüge|kenne)\b[^.;!?\n]{0,30}\b(?:nicht|nie)\b` +
	`|\b(?:is|are|was) (?:still )?(?:new|unknown|foreign) to me\b|\b(?:ist|sind) (?:mir|für mich) (?:noch )?(?:neu|fremd|unbekannt)\b` +
	`|\bI (?:have|had|am|do|can)(?: not|n['’]t|not) (?:\pL+ )?(?:used|worked with|learnt|learned|tried|mastered)\b)[^.;!?\n]*`)

// denied finds entries such as "Führerschein: nein".
var denied = regexp.MustCompile(`(?im)^[ \t•*-]*\pL[\pL .'’-]{2,40}[:–\t-][ \t]*(?:nicht vorhanden|keine?r?|nein|no|none|not available|n/a)[ \t.]*$`)

// turn is where a clause goes on to what holds after all.
var turn = regexp.MustCompile(`(?i),?\s+(?:but|however|yet|though|aber|jedoch|sondern|dafür)\b`)

// asserted is the text of a source that may prove something: with blanks for
// what is masked and for what is denied.
func (s *Source) asserted() []rune {
	if s.proof != nil {
		return s.proof
	}
	s.proof = slices.Clone(s.blanked())
	p := newPlaces(string(s.proof))
	var spans [][]int
	spans = append(spans, denials.FindAllStringIndex(p.text, -1)...)
	spans = append(spans, deniedBefore.FindAllStringIndex(p.text, -1)...)
	spans = append(spans, denied.FindAllStringIndex(p.text, -1)...)
	for _, m := range spans {
		if t := turn.FindStringIndex(p.text[m[0]:m[1]]); t != nil {
			m[1] = m[0] + t[0]
		}
		for i := p.runes[m[0]]; i < p.runes[m[1]]; i++ {
			if s.proof[i] != '\n' {
				s.proof[i] = ' '
			}
		}
	}
	return s.proof
}
