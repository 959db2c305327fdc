package extraction

// Confine lets a test see what is left to a confined process.
func Confine() error {
	_, err := confine(DefaultLimits())
	return err
}
