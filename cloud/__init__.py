"""The backend of a property management company."""
