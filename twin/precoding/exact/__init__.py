"""Beyond the papers: each satellite's power met exactly, and the expected rate itself as the aim."""
