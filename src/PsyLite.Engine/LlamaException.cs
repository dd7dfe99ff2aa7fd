namespace PsyLite.Engine;

/// <summary>Why the engine could not do what was asked; front ends may word each in their own language.</summary>
public enum LlamaError
{
    /// <summary>The model file does not exist.</summary>
    FileMissing,

    /// <summary>The file is not GGUF, or its header cannot be read.</summary>
    NotGguf,

    /// <summary>The file ends before its tensors do.</summary>
    Truncated,

    /// <summary>llama.cpp does not know the model's architecture.</summary>
    UnknownArchitecture,

    /// <summary>The model and its context need more memory than is free.</summary>
    OutOfMemory,

    /// <summary>The prompt, or prompt plus reply, does not fit the context.</summary>
    PromptTooLong,

    /// <summary>The model has a chat template that is not supported.</summary>
    UnknownTemplate,

    /// <summary>llama.cpp's shared libraries are missing or do not run here.</summary>
    LibraryMissing,

    /// <summary>llama.cpp refused the file for another reason, which the message quotes.</summary>
    LoadFailed,

    /// <summary>llama.cpp failed while computing.</summary>
    DecodeFailed,

    /// <summary>As many requests wait as the queue takes.</summary>
    Busy,

    /// <summary>llama.cpp could not quantise the file.</summary>
    QuantizeFailed,
}

/// <summary>An engine failure that a person can act on; the message is one line that says what to do.</summary>
public sealed class LlamaException : Exception
{
    public LlamaException(LlamaError kind, string message, Exception? inner = null)
        : base(message, inner) => Kind = kind;

    public LlamaError Kind { get; }
}
