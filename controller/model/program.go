package model

// Program is what a task's driver starts, as far as its config says so in the
// attributes that the drivers docker, podman, exec, exec2, raw_exec and java share.
type Program struct {
	// Image is that of a container, Command the file to start; a container may
	// have both, or neither a Command nor an Entrypoint.
	Image, Command   string
	Entrypoint, Args []string
	// WorkDir is the working directory, empty for the driver's own.
	WorkDir string
	// Mounts are what else the program sees in its file system.
	Mounts []Mount
	// Odd names the attributes of these that are in another form than the
	// drivers take, sorted. What they say is left out.
	Odd []string
}

// Mount is a file or a folder that a container sees at another place. A Source
// that does not begin with a slash is below the task's own folder; any other is
// on the node.
type Mount struct{ Source, Target string }
