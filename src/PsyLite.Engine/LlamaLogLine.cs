namespace PsyLite.Engine;

/// <summary>Severity of a line that llama.cpp logs (ggml_log_level).</summary>
public enum LlamaLogLevel
{
    Debug = 1,
    Info = 2,
    Warning = 3,
    Error = 4,
}

/// <summary>A line that llama.cpp logged. It never holds text of users.</summary>
public readonly record struct LlamaLogLine(LlamaLogLevel Level, string Text);
