package oauth

// SubjectType says whether clients see one subject or each its own (OpenID Connect Core §8).
type SubjectType string

// The two subject types.
const (
	SubjectTypePublic   SubjectType = "public"
	SubjectTypePairwise SubjectType = "pairwise"
)
