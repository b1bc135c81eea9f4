package app

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

func TestAJobThatLeavesADoubtIsNotGoneBy(t *testing.T) {
	job := func(image string) *model.Job {
		program := model.Program{Image: image, Args: []string{"--providers.consulcatalog.refreshinterval=3s"}}
		return &model.Job{ID: "edge", Groups: []model.Group{{Name: "edge", Tasks: []model.Task{{Name: "traefik", Driver: "docker", Program: program}}}}}
	}
	settings, err := jobSettings(job("traefik:3.2"), "edge")
	require.NoError(t, err)
	require.Equal(t, 3*time.Second, settings.RefreshInterval)
	_, err = jobSettings(job("corp/my-traefik:3.2"), "edge")
	require.ErrorContains(t, err, "corp/my-traefik:3.2 has a configuration file")
}
