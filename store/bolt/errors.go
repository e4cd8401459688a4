package bolt

import "errors"

// Why Open refuses a file. The error it returns wraps one of these, names the path and says what to do.
var (
	// ErrMissing: the directory does not exist.
	ErrMissing = errors.New("directory does not exist")
	// ErrUnsafe: not a regular file of ours: a directory, a symbolic link, a device, or somebody else's.
	ErrUnsafe = errors.New("not a private file of this user")
	// ErrLocked: another process has the file open.
	ErrLocked = errors.New("file is in use by another process")
	// ErrForeign: not a database, or that of another program.
	ErrForeign = errors.New("file was not made by this program")
	// ErrCorrupt: a database whose structure is damaged or whose end is missing.
	ErrCorrupt = errors.New("file is damaged")
	// ErrNewer: a later version of this program has used the file.
	ErrNewer = errors.New("file was written by a newer version")
	// ErrSecret: none of the configured secrets opens what is sealed in the file.
	ErrSecret = errors.New("secret_key does not fit this file")
)

// advice completes the sentence that an operator reads.
func advice(err error) string {
	switch {
	case errors.Is(err, ErrMissing):
		return "make it, readable by this user only, or configure another storage path"
	case errors.Is(err, ErrUnsafe):
		return "configure a path to a regular file that this user owns"
	case errors.Is(err, ErrLocked):
		return "stop the other process, or configure another storage path"
	case errors.Is(err, ErrForeign):
		return "configure another storage path; the file was left as it is"
	case errors.Is(err, ErrCorrupt):
		return "restore it from a backup, or move it away to start empty; the file was left as it is"
	case errors.Is(err, ErrNewer):
		return "run that version again, or restore a backup from before the update"
	case errors.Is(err, ErrSecret):
		return "put the secret_key it was made with back into the list, behind the current one"
	}
	return ""
}
