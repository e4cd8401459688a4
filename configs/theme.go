package configs

// Theme changes how the pages look.
type Theme struct {
	// Dir holds files that replace the embedded ones of the same name; empty for none.
	Dir string `yaml:"dir"`
}
