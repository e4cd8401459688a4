package configs

// Admin is how the other commands reach a running broker.
type Admin struct {
	// Socket is the path of the Unix socket: beside the database and named after it when the file has none. After
	// [Load] it is empty if that path would be too long for a socket; there is none then, and a warning says so.
	Socket string `yaml:"socket"`
}

// maxSocketPath is the longest path of a socket, in bytes. Every system takes 103 (sockaddr_un of the BSDs); the rest
// is for the private directory in which the socket is made before it gets its name.
const maxSocketPath = 88
