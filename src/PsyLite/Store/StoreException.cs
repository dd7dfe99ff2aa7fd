namespace PsyLite.Store;

/// <summary>The store cannot be used as it is. The message is one line that says what to do, and never quotes what anybody wrote.</summary>
public sealed class StoreException(string message, Exception? inner = null) : Exception(message, inner);
