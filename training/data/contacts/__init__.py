"""Training rows of the contact classifier, computed by the TypeScript tracker."""
