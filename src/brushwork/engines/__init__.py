"""⑤ How pixels are made; knows no job, account or URL."""
