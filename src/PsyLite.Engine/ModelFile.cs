using PsyLite.Models.Gguf;

namespace PsyLite.Engine;

/// <summary>What is wrong with a model file, said so that a person can act on it.</summary>
internal static class ModelFile
{
    private static readonly string[] AllocationFailures = ["unable to allocate", "failed to allocate", "bad_alloc"];

    /// <summary>
    /// Reads something off the header with every bound checked, before llama.cpp, which may end the process over a damaged
    /// file, sees it.
    /// </summary>
    /// <exception cref="LlamaException">The file is missing, unreadable, no GGUF, or cut off.</exception>
    public static T Read<T>(string path, Func<GgufReader, T> read)
    {
        try
        {
            using var file = GgufReader.Open(path);
            return read(file);
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new LlamaException(LlamaError.FileMissing, $"There is no model file {path}: check the path, or get a model with psylite model pull.", failure);
        }
        catch (Exception failure) when (failure is UnauthorizedAccessException or IOException)
        {
            throw new LlamaException(LlamaError.FileMissing, $"The model file {path} cannot be read ({failure.Message}): check that it is a file and that you may read it.", failure);
        }
        catch (InvalidDataException failure)
        {
            throw failure.Message.Contains("truncated", StringComparison.Ordinal)
                ? new LlamaException(LlamaError.Truncated, $"{path} ends too early: copy or download the file again.", failure)
                : new LlamaException(LlamaError.NotGguf, $"{failure.Message} Convert the model with psylite model convert, or download it again.", failure);
        }
    }

    /// <summary>The failure to load a model that llama.cpp's log lines tell of.</summary>
    public static LlamaException Refused(string path, IReadOnlyList<string> log)
    {
        if (Line(log, "unknown model architecture") is { } line)
        {
            return new LlamaException(LlamaError.UnknownArchitecture, $"{path} holds an architecture that llama.cpp does not know ({line}): use a model it supports, such as InternLM2.");
        }

        if (Line(log, "not within the file bounds", "corrupted or incomplete", "unexpectedly reached end", "read error") is not null)
        {
            return new LlamaException(LlamaError.Truncated, $"{path} ends too early: copy or download the file again.");
        }

        if (Line(log, AllocationFailures) is not null)
        {
            return new LlamaException(LlamaError.OutOfMemory, $"There is not enough memory for {path}: close other programs, or take a smaller quantisation or context.");
        }

        return new LlamaException(LlamaError.LoadFailed, $"llama.cpp cannot load {path}: {Reason(log)}. Check the file with psylite model inspect.");
    }

    /// <summary>Checks the header of an adapter before llama.cpp sees it.</summary>
    /// <exception cref="LlamaException">It is missing, damaged or no LoRA adapter.</exception>
    public static void CheckAdapter(string path)
    {
        if (Read(path, file => file.Metadata.Get("general.type", "")) is var type && type != "adapter")
        {
            throw new LlamaException(LlamaError.LoadFailed, $"{path} is no LoRA adapter: make one with psylite model convert --adapter DIR --base DIR --out FILE.");
        }
    }

    /// <summary>The failure to load an adapter that llama.cpp's log lines tell of.</summary>
    public static LlamaException RefusedAdapter(string path, string model, IReadOnlyList<string> log) =>
        new(LlamaError.LoadFailed, $"llama.cpp cannot add the adapter {path} to {model}: {Reason(log)}. Use an adapter that was trained on this model.");

    /// <summary>The failure to make a context that llama.cpp's log lines tell of.</summary>
    public static LlamaException NoContext(int length, IReadOnlyList<string> log) => Line(log, AllocationFailures) is not null
        ? new LlamaException(LlamaError.OutOfMemory, $"There is not enough memory for a context of {length} tokens: ask for a shorter one or a smaller cache type.")
        : new LlamaException(LlamaError.LoadFailed, $"llama.cpp cannot make a context of {length} tokens: {Reason(log)}. Try the default cache type and flash attention.");

    /// <summary>The first line is the most telling; later ones only say that loading failed.</summary>
    public static string Reason(IReadOnlyList<string> log) => log.Count > 0 ? log[0] : "no reason was logged";

    private static string? Line(IReadOnlyList<string> log, params ReadOnlySpan<string> phrases)
    {
        foreach (var line in log)
        {
            foreach (var phrase in phrases)
            {
                if (line.Contains(phrase, StringComparison.OrdinalIgnoreCase))
                {
                    return line;
                }
            }
        }

        return null;
    }
}
