// Package domain holds the nouns of the product, their states and the error
// vocabulary. It imports nothing else of this project.
package domain
