"""Streets, skylines and the walls of houses."""
