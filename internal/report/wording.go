package report

import "generalbackend/internal/domain"

// wording holds the words of one language.
type wording struct {
	kind, of, page, date, quote, unquote                     string
	score, strong, medium, weak                              string
	met, partly, missing, musts                              string
	posting, candidate, documents, judged, quotes, masked    string
	offline, allQuotes, someQuotes, noQuotes, hidden, shown  string
	ranking, rank, name, open                                string
	summary, requirements, number, requirement, verdict      string
	evidence, pages, none, unverified, sure                  string
	strengths, gaps, recommendations, analysis, nothing      string
	risk, factors, mitigation, potential, areas, advice      string
	timeline, reachable, stability, stabilityText, flips     string
	note, instructions, otherProvider, templateText, related string
	levels                                                   map[domain.Level]string
	kinds                                                    map[domain.RequirementKind]string
	risks                                                    map[domain.RiskLevel]string
	traits                                                   map[domain.MaskKind]string
}

func wordingIn(language string) wording {
	if language == "de" {
		return german()
	}
	return english()
}

func english() wording {
	return wording{
		kind: "Candidate assessment", of: "Page %d of %d", page: "p. %d", date: "2 January 2006", quote: "“", unquote: "”",
		score: "of 100", strong: "Strong match", medium: "Possible match", weak: "Weak match",
		met: "met", partly: "partly met", missing: "not evidenced", musts: "must-haves met",
		posting: "Position", candidate: "Candidate", documents: "Documents", judged: "Judged by", quotes: "Quotes", masked: "Masked",
		offline:    "rules and retrieval, without a language model",
		allQuotes:  "All %d quotes were looked up in the documents and found there word for word.",
		someQuotes: "%d of %d quotes were found in the documents word for word; the others are marked.",
		noQuotes:   "No requirement is evidenced by a quote.",
		hidden:     "Hidden from the judge: %s.", shown: "No. The judge saw the documents as they are.",
		ranking: "Ranking", rank: "Rank", name: "Candidate", open: "Must-haves not evidenced",
		summary: "Summary", requirements: "Requirements", number: "No.", requirement: "Requirement", verdict: "Verdict",
		evidence: "Quote and reason", pages: "Page", none: "—", unverified: "not found in the documents", sure: "%d % sure",
		strengths: "Strengths", gaps: "Gaps", recommendations: "Recommendations", analysis: "Analysis in detail", nothing: "None.",
		risk: "Risk", factors: "Factors", mitigation: "What to do about it", potential: "Development potential", areas: "Areas", advice: "Recommendations",
		timeline: "Time needed", reachable: "Reachable score", stability: "Stability",
		stabilityText: "%d judgements: mean %s, from %d to %d, standard deviation %s. %.0f % agreement of the verdicts.",
		flips:         "Not the same in all judgements: %s.",
		note:          "The score is computed from the verdicts and the weights of the requirements. It supports a decision by people and does not replace it.",
		instructions:  "The documents contain sentences that address the judge. They were left out and changed nothing.",
		otherProvider: "Another provider than the one asked for helped to judge.",
		templateText:  "The texts were written by templates from the verdicts.",
		related:       "rests on related work",
		levels:        map[domain.Level]string{domain.LevelFull: "Met", domain.LevelPartial: "Partly met", domain.LevelMissing: "Not evidenced"},
		kinds:         map[domain.RequirementKind]string{domain.RequirementMust: "Must", domain.RequirementNice: "Nice to have"},
		risks:         map[domain.RiskLevel]string{domain.RiskLow: "low", domain.RiskMedium: "medium", domain.RiskHigh: "high"},
		traits: map[domain.MaskKind]string{
			domain.MaskName: "names", domain.MaskPhoto: "photos", domain.MaskBirth: "age and birth", domain.MaskGender: "gender",
			domain.MaskMarital: "marital status", domain.MaskNationality: "nationality", domain.MaskReligion: "religion", domain.MaskAddress: "addresses",
			domain.MaskEmail: "mail addresses", domain.MaskPhone: "telephone numbers", domain.MaskLink: "links", domain.MaskSocial: "social profiles",
		},
	}
}

func german() wording {
	return wording{
		kind: "Bewerberbewertung", of: "Seite %d von %d", page: "S. %d", date: "02.01.2006", quote: "„", unquote: "“",
		score: "von 100", strong: "Starke Übereinstimmung", medium: "Mögliche Übereinstimmung", weak: "Schwache Übereinstimmung",
		met: "erfüllt", partly: "teilweise erfüllt", missing: "nicht belegt", musts: "Muss-Kriterien erfüllt",
		posting: "Stelle", candidate: "Bewerbung", documents: "Unterlagen", judged: "Bewertet von", quotes: "Zitate", masked: "Maskiert",
		offline:    "Regeln und Suche, ohne Sprachmodell",
		allQuotes:  "Alle %d Zitate wurden in den Unterlagen nachgeschlagen und dort wörtlich gefunden.",
		someQuotes: "%d von %d Zitaten wurden in den Unterlagen wörtlich gefunden; die übrigen sind gekennzeichnet.",
		noQuotes:   "Keine Anforderung ist durch ein Zitat belegt.",
		hidden:     "Bei der Bewertung verborgen: %s.", shown: "Nein. Bewertet wurden die Unterlagen, wie sie sind.",
		ranking: "Rangfolge", rank: "Rang", name: "Bewerbung", open: "Nicht belegte Muss-Kriterien",
		summary: "Zusammenfassung", requirements: "Anforderungen", number: "Nr.", requirement: "Anforderung", verdict: "Urteil",
		evidence: "Zitat und Begründung", pages: "Seite", none: "—", unverified: "in den Unterlagen nicht gefunden", sure: "%d % sicher",
		strengths: "Stärken", gaps: "Lücken", recommendations: "Empfehlungen", analysis: "Analyse im Einzelnen", nothing: "Keine.",
		risk: "Risiko", factors: "Faktoren", mitigation: "Was zu tun ist", potential: "Entwicklungspotenzial", areas: "Bereiche", advice: "Empfehlungen",
		timeline: "Zeitbedarf", reachable: "Erreichbare Punktzahl", stability: "Stabilität",
		stabilityText: "%d Bewertungen: Mittel %s, von %d bis %d, Standardabweichung %s. %.0f % Übereinstimmung der Urteile.",
		flips:         "Nicht in allen Bewertungen gleich: %s.",
		note:          "Die Punktzahl wird aus den Urteilen und den Gewichten der Anforderungen berechnet. Sie unterstützt eine Entscheidung von Menschen und ersetzt sie nicht.",
		instructions:  "Die Unterlagen enthalten Sätze, die sich an die bewertende Stelle richten. Sie wurden ausgelassen und haben nichts verändert.",
		otherProvider: "Ein anderer Anbieter als der gewünschte hat an der Bewertung mitgewirkt.",
		templateText:  "Die Texte wurden aus Vorlagen und den Urteilen gebildet.",
		related:       "beruht auf verwandter Arbeit",
		levels:        map[domain.Level]string{domain.LevelFull: "Erfüllt", domain.LevelPartial: "Teilweise erfüllt", domain.LevelMissing: "Nicht belegt"},
		kinds:         map[domain.RequirementKind]string{domain.RequirementMust: "Muss", domain.RequirementNice: "Wunsch"},
		risks:         map[domain.RiskLevel]string{domain.RiskLow: "niedrig", domain.RiskMedium: "mittel", domain.RiskHigh: "hoch"},
		traits: map[domain.MaskKind]string{
			domain.MaskName: "Namen", domain.MaskPhoto: "Fotos", domain.MaskBirth: "Alter und Geburt", domain.MaskGender: "Geschlecht",
			domain.MaskMarital: "Familienstand", domain.MaskNationality: "Staatsangehörigkeit", domain.MaskReligion: "Religion", domain.MaskAddress: "Anschriften",
			domain.MaskEmail: "E-Mail-Adressen", domain.MaskPhone: "Telefonnummern", domain.MaskLink: "Links", domain.MaskSocial: "soziale Profile",
		},
	}
}
