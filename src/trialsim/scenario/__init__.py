"""The scenario: one YAML file with everything a user states."""
