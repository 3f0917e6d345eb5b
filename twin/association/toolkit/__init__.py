"""What several policies are made from: ranking, measurement, memory, cells, reasons."""
