"""Finished models for machines without torch: an ONNX file that is measured against its model."""
