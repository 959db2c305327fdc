package conversation

import (
	"strings"
	"unicode"
)

// common are frequent words by which short texts give their language away. They
// are also the words that say nothing of a subject.
var common = map[string]string{
	"en": "the of and a an to in is are was were be been being that this these those it its for on with as by at from what which who whom whose when where why how many much did does do done has have had not or but they their them there he she his her him you your we our us can could would should will may about into than then also if any some all after before during between because while over under out up only most more such other one name",
	"de": "der die das den dem des ein eine einen einem einer eines und oder aber ist sind war waren wird werden wurde wurden hat haben hatte hatten nicht mit von vom zu zum zur im in am an auf für bei nach aus über unter als auch es er sie wir ihr was wer wen wem wessen wann wo wohin woher warum wieso weshalb wie viel viele welche welcher welches welchen welchem dass daß sich durch um noch nur kann können soll sollte muss müssen diese dieser dieses diesem diesen jene sein seine seinen ihre ihren ihrem dort bis seit während zwischen wenn man mehr so gab gibt heißt hieß nannte",
	"es": "el la los las un una unos unas de del y o que en es son fue fueron ser está están por para con no se su sus lo al como más qué quién quiénes cuándo dónde cuál cuáles cuánto cuánta cuántos cuántas cómo cuyo este esta estos estas ese esa hay había entre sobre también pero si sin desde hasta durante",
	"fr": "le la les un une des du de et ou que qui quoi dans en est sont était étaient être pour avec ne pas se ce cette ces son sa ses leur leurs au aux par sur plus quand où quel quelle quels quelles comment combien pourquoi il elle ils elles nous vous mais si sans depuis pendant entre aussi",
	"it": "il lo la i gli le un una uno di del della dei delle e o che chi cosa in nel nella è sono era erano essere per con non si su sua suo suoi al alla da dal dalla come più quando dove quale quali quanto quanti perché questo questa questi anche ma se tra fra durante",
	"nl": "de het een van en of dat die in is zijn was waren worden werd wordt voor met niet op aan er als bij door naar uit over ook wat wie wanneer waar waarom hoe veel hoeveel welke deze dit zij hij hun haar maar om te tot",
	"pt": "o a os as um uma uns umas de do da dos das e ou que em no na nos nas é são foi foram ser está estão por para com não se seu sua seus suas ao como mais quem quando onde qual quais quanto quantos porque este esta isso entre sobre também mas sem desde até durante",
	"pl": "i w na z do nie to jest są był była było były się że o od po za dla jak co kto kiedy gdzie dlaczego ile który która które jakie jaki jaka przez przy oraz ale lub czy jego jej ich",
	"cs": "a v na z do ne to je jsou byl byla bylo byly se že o od po za pro jak co kdo kdy kde proč kolik který která které jaký jaká při ale nebo jeho její jejich",
	"da": "og i at det en et den der til er som på de med af for ikke var havde har hvad hvem hvornår hvor hvorfor hvordan hvilken hvilke blev eller men fra ved også",
	"sv": "och i att det en ett den som till är på de med av för inte var hade har vad vem när var varför hur många vilken vilket vilka blev eller men från vid också",
	"nb": "og i at det en et den som til er på de med av for ikke var hadde har hva hvem når hvor hvorfor hvordan hvilken hvilke ble eller men fra ved også",
	"fi": "ja on ei se että oli ovat olivat mikä mitä kuka milloin missä miksi miten kuinka monta joka jotka kun myös tai mutta ole hän he sen",
	"hu": "a az és egy hogy nem is van volt voltak mi ki mikor hol miért hogyan mennyi hány melyik amely aki vagy de meg ez azt",
	"ro": "și în la de pe cu un o este sunt a fost au nu că care ce cine când unde cum cât câți de ce din pentru sau dar mai al ale lui",
	"tr": "ve bir bu da de ne kim zaman nerede neden nasıl kaç hangi için ile olarak olan oldu mi mı mu mü değil veya ama daha en çok",
	"ru": "и в не на что с по это как а то его к но они у был была были было из за от для о же кто когда где почему сколько какой какая какие который",
	"uk": "і в не на що з по це як а то його до але вони у був була були було із за від для про хто коли де чому скільки який яка які що",
}

var stopWords = func() map[string]bool {
	set := map[string]bool{}
	for _, list := range common {
		for _, word := range strings.Fields(list) {
			set[word] = true
		}
	}
	return set
}()

// scripts name a language where the script does.
var scripts = []struct {
	language string
	table    *unicode.RangeTable
}{
	{"ja", unicode.Hiragana},
	{"ja", unicode.Katakana},
	{"ko", unicode.Hangul},
	{"zh", unicode.Han},
	{"el", unicode.Greek},
	{"ar", unicode.Arabic},
	{"he", unicode.Hebrew},
}

// guessLanguage names the language of a short text by its script and its most
// frequent words, "" where they do not tell.
func guessLanguage(text string) string {
	letters := 0
	counts := map[string]int{}
	for _, r := range text {
		if unicode.IsLetter(r) {
			letters++
		}
		for _, s := range scripts {
			if unicode.Is(s.table, r) {
				counts[s.language]++
			}
		}
	}
	if counts["ja"] > 0 { // which also writes Chinese characters
		return "ja"
	}
	for _, s := range scripts {
		if 2*counts[s.language] > letters {
			return s.language
		}
	}
	return guessByWords(words(text))
}

func guessByWords(text []string) string {
	best, most, second := "", 0, 0
	for language := range common {
		n := 0
		for _, word := range text {
			if commonWords[language][word] {
				n++
			}
		}
		switch {
		case n > most:
			best, most, second = language, n, most
		case n > second:
			second = n
		}
	}
	if most == second {
		return ""
	}
	return best
}

var commonWords = sets(common)

// language is that of the question; where it does not tell, that of the
// questions before it, else English.
func (r *run) language() string {
	if l := guessLanguage(r.turn.Question); l != "" {
		return l
	}
	for i := len(r.history) - 1; i >= 0; i-- {
		if l := guessLanguage(r.history[i].Question); l != "" {
			return l
		}
	}
	return "en"
}

// wording is what is said in a language without a model.
type wording struct {
	name    string // of the language, in English, for prompts
	refusal string
	offline string // introduces sentences of the documents
}

func wordingOf(language string) wording {
	if w, ok := wordings[language]; ok {
		return w
	}
	return wordings["en"]
}

var wordings = map[string]wording{
	"en": {"English", "The documents do not answer this question.", "No language model is in use; these sentences of the documents fit best:"},
	"de": {"German", "Die Dokumente beantworten diese Frage nicht.", "Ohne Sprachmodell; diese Sätze der Dokumente passen am besten:"},
	"es": {"Spanish", "Los documentos no responden a esta pregunta.", "Sin modelo de lenguaje; estas frases de los documentos son las que mejor encajan:"},
	"fr": {"French", "Les documents ne répondent pas à cette question.", "Sans modèle de langage ; ces phrases des documents conviennent le mieux :"},
	"it": {"Italian", "I documenti non rispondono a questa domanda.", "Senza modello linguistico; queste frasi dei documenti sono le più pertinenti:"},
	"nl": {"Dutch", "De documenten beantwoorden deze vraag niet.", "Zonder taalmodel; deze zinnen uit de documenten passen het best:"},
	"pt": {"Portuguese", "Os documentos não respondem a esta pergunta.", "Sem modelo de linguagem; estas frases dos documentos são as que melhor se ajustam:"},
	"pl": {"Polish", "Dokumenty nie odpowiadają na to pytanie.", "Bez modelu językowego; najlepiej pasują te zdania z dokumentów:"},
	"cs": {"Czech", "Dokumenty na tuto otázku neodpovídají.", "Bez jazykového modelu; nejlépe odpovídají tyto věty z dokumentů:"},
	"da": {"Danish", "Dokumenterne besvarer ikke dette spørgsmål.", "Uden sprogmodel; disse sætninger fra dokumenterne passer bedst:"},
	"sv": {"Swedish", "Dokumenten besvarar inte den här frågan.", "Utan språkmodell; de här meningarna ur dokumenten passar bäst:"},
	"nb": {"Norwegian", "Dokumentene besvarer ikke dette spørsmålet.", "Uten språkmodell; disse setningene fra dokumentene passer best:"},
	"fi": {"Finnish", "Asiakirjat eivät vastaa tähän kysymykseen.", "Ilman kielimallia; nämä asiakirjojen lauseet sopivat parhaiten:"},
	"hu": {"Hungarian", "A dokumentumok nem válaszolnak erre a kérdésre.", "Nyelvi modell nélkül; a dokumentumok ezen mondatai illenek a legjobban:"},
	"ro": {"Romanian", "Documentele nu răspund la această întrebare.", "Fără model de limbă; aceste propoziții din documente se potrivesc cel mai bine:"},
	"tr": {"Turkish", "Belgeler bu soruyu yanıtlamıyor.", "Dil modeli kullanılmıyor; belgelerdeki en uygun cümleler:"},
	"ru": {"Russian", "В документах нет ответа на этот вопрос.", "Без языковой модели; лучше всего подходят эти предложения из документов:"},
	"uk": {"Ukrainian", "У документах немає відповіді на це запитання.", "Без мовної моделі; найкраще підходять ці речення з документів:"},
	"el": {"Greek", "Τα έγγραφα δεν απαντούν σε αυτή την ερώτηση.", "Χωρίς γλωσσικό μοντέλο· αυτές οι προτάσεις των εγγράφων ταιριάζουν καλύτερα:"},
	"ar": {"Arabic", "لا تجيب المستندات عن هذا السؤال.", "بدون نموذج لغوي؛ هذه الجمل من المستندات هي الأنسب:"},
	"he": {"Hebrew", "המסמכים אינם עונים על שאלה זו.", "ללא מודל שפה; אלה המשפטים המתאימים ביותר במסמכים:"},
	"zh": {"Chinese", "这些文档没有回答这个问题。", "未使用语言模型；文档中最相符的句子："},
	"ja": {"Japanese", "文書にはこの質問への答えがありません。", "言語モデルは使われていません。文書の中で最も近い文："},
	"ko": {"Korean", "문서에는 이 질문에 대한 답이 없습니다.", "언어 모델을 사용하지 않습니다. 문서에서 가장 알맞은 문장:"},
}
