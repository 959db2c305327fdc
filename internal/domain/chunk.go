package domain

import "github.com/google/uuid"

// Chunk is a passage of a document. CharFrom and CharTo are offsets in runes
// into the document's text: its pages joined by PageSeparator.
type Chunk struct {
	ID       int64
	Ordinal  int
	PageFrom int
	PageTo   int
	CharFrom int
	CharTo   int
	Content  string
	Language string // ISO 639-1 or "" for no stemming
	Hash     []byte // SHA-256 of the text as it is embedded, for the cache
}

// PageSeparator joins pages to a document's whole text.
const PageSeparator = "\n\n"

// EmbeddingSpace is where vectors can be compared: one model and one way of
// chunking.
type EmbeddingSpace struct {
	ID           int64
	Provider     string
	Model        string
	Dims         int
	ChunkTokens  int
	OverlapToken int
	State        string // "building", "active", "retired"
}

// ExactOnly reports whether vectors of the space are searched by scanning all of
// a user's. Those of the built-in provider are: a short question is nearly
// orthogonal to all of them, and of such neighbours an approximate index finds
// about half (`make bench`, scenario search).
func (s EmbeddingSpace) ExactOnly() bool { return s.Provider == "offline" }

// Passage is a search result: a chunk with where it stands and why it was found.
type Passage struct {
	ChunkID     int64
	DocumentID  uuid.UUID
	Filename    string
	Title       string
	PageFrom    int
	PageTo      int
	CharFrom    int
	CharTo      int
	Content     string
	Score       float64 // fused, higher is better
	VectorRank  int     // 0: not among the vector candidates
	KeywordRank int     // 0: not among the keyword candidates
	Distance    float64 // cosine distance, where VectorRank > 0
}
