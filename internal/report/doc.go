// Package report writes the result of a match as a PDF for the people who
// decide: a cover that says the essence, every requirement with its verdict and
// the quote it rests on, and what follows from them.
package report
