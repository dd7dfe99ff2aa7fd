using PsyLite.Models.Gguf;

namespace PsyLite.Engine;

/// <summary>What is wrong with a model file, said so that a person can act on it.</summary>
internal static class ModelFile
{
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

        if (Says("unable to allocate", "failed to allocate", "bad_alloc"))
        {
            return new LlamaException(LlamaError.OutOfMemory, $"There is not enough memory for {path}: close other programs, or take a smaller quantisation or context.");
        }

        var reason = log.Count > 0 ? log[0] : "no reason was logged";
        return new LlamaException(LlamaError.LoadFailed, $"llama.cpp cannot load {path}: {reason}. Check the file with psylite model inspect.");
    }
}
