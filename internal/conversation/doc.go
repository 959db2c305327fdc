// Package conversation answers questions about a project's documents: it finds
// passages, lets a language model answer from them alone, checks what the answer
// cites, and says so where the documents do not answer. Without a model it
// answers with the sentences of the passages that fit best.
package conversation
