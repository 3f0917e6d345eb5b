"""Beyond the papers: each satellite's power constraint met exactly, and the expected rate itself as the objective."""
