// Command bench measures the product against peers and physical limits, each
// ratio within one run, and prints tables. See docs/benchmarks.md.
package main
