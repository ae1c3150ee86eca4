"""Everything that touches ONNX, ONNX Runtime and scikit-learn: convert, prove, load and score models."""
