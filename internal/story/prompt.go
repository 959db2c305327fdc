package story

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// fence puts what somebody told between marker lines that carry a digest of it:
// no text can hold the marker that ends it.
func fence(name, text string) string {
	sum := sha256.Sum256([]byte(name + "\x00" + text))
	mark := hex.EncodeToString(sum[:6])
	return fmt.Sprintf("<<<%s %s>>>\n%s\n<<<END %s>>>", name, mark, text, mark)
}

// languageName is the English name of a language, for prompts.
func languageName(code string) string {
	names := map[string]string{
		"de": "German", "en": "English", "es": "Spanish", "fr": "French", "it": "Italian", "pt": "Portuguese",
		"nl": "Dutch", "pl": "Polish", "tr": "Turkish", "ru": "Russian", "cs": "Czech", "da": "Danish", "sv": "Swedish", "ca": "Catalan",
	}
	if name, ok := names[code]; ok {
		return name
	}
	return "the language with the code " + code
}
