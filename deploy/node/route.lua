-- Orthanc: when nothing of a study came for `StableAge` seconds, send its MR series to the modality `edgeseg`.
-- The results come back into the same study, which is stable once more then; so a study that has them is left alone.

function OnStableStudy(studyId, tags, metadata)
   local found = {}
   for _, series in pairs(ParseJson(RestApiGet('/studies/' .. studyId .. '/series'))) do
      if series['MainDicomTags']['Manufacturer'] == 'edgeseg' then
         return
      end
      if series['MainDicomTags']['Modality'] == 'MR' then
         table.insert(found, series['ID'])
      end
   end
   if #found > 0 then
      RestApiPost('/modalities/edgeseg/store', DumpJson({['Resources'] = found, ['Synchronous'] = false}))
   end
end
