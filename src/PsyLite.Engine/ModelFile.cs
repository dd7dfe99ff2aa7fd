namespace PsyLite.Engine;

/// <summary>What is wrong with a model file, said so that a person can act on it.</summary>
internal static class ModelFile
{
    /// <summary>Refuses early what llama.cpp would only describe in its own words.</summary>
    /// <exception cref="LlamaException">The file is missing, unreadable or no GGUF.</exception>
    public static void CheckMagic(string path)
    {
        Span<byte> magic = stackalloc byte[4];
        try
        {
            using var file = File.OpenRead(path);
            if (file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false) == magic.Length && magic.SequenceEqual("GGUF"u8))
            {
                return;
            }
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new LlamaException(LlamaError.FileMissing, $"There is no model file {path}: check the path, or get a model with psylite model pull.", failure);
        }
        catch (Exception failure) when (failure is UnauthorizedAccessException or IOException)
        {
            throw new LlamaException(LlamaError.FileMissing, $"The model file {path} cannot be read ({failure.Message}): check that it is a file and that you may read it.", failure);
        }

        throw new LlamaException(LlamaError.NotGguf, $"{path} is not a GGUF file: convert the model with psylite model convert.");
    }

    /// <summary>The failure that llama.cpp's log lines tell of.</summary>
    public static LlamaException Refused(string path, IReadOnlyList<string> log)
    {
        bool Says(params ReadOnlySpan<string> phrases)
        {
            foreach (var phrase in phrases)
            {
                if (log.Any(line => line.Contains(phrase, StringComparison.OrdinalIgnoreCase)))
                {
                    return true;
                }
            }

            return false;
        }

        if (Says("unknown model architecture"))
        {
            return new LlamaException(LlamaError.UnknownArchitecture, $"{path} holds an architecture that llama.cpp does not know ({log.First(l => l.Contains("unknown model architecture", StringComparison.OrdinalIgnoreCase))}): use a model it supports, such as InternLM2.");
        }

        if (Says("not within the file bounds", "corrupted or incomplete", "unexpectedly reached end", "read error"))
        {
            return new LlamaException(LlamaError.Truncated, $"{path} ends too early: copy or download the file again.");
        }

        if (Says("gguf_init", "failed to load GGUF", "failed to read"))
        {
            return new LlamaException(LlamaError.NotGguf, $"{path} has a GGUF header that cannot be read, so it is cut off or damaged: copy or download the file again.");
        }

        if (Says("unable to allocate", "failed to allocate", "bad_alloc"))
        {
            return new LlamaException(LlamaError.OutOfMemory, $"There is not enough memory for {path}: close other programs, or take a smaller quantisation or context.");
        }

        var reason = log.Count > 0 ? log[0] : "no reason was logged";
        return new LlamaException(LlamaError.LoadFailed, $"llama.cpp cannot load {path}: {reason}. Check the file with psylite model inspect.");
    }
}
