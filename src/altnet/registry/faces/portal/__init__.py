"""The portal's pages: what people see of the registry in a browser, with JavaScript or without."""
