// Package story makes a told life out of memories: where they stand in time and
// where nothing was told yet, the next question of an interviewer, texts
// rewritten without a word that was not said, and the book.
package story
