"""The engine on tiny pipelines with random weights. Collected only where torch is: `make test-diffusers`."""
